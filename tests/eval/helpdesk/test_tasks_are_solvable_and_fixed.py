"""The 580 tasks: fixed, disjoint, solvable through the real episode, and worth nothing to an idle agent."""

import json
import subprocess
import sys
from collections import Counter, defaultdict

import pytest

from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import Episode, load_benchmark
from sigmaloop.eval.benchmarks.helpdesk import Helpdesk
from sigmaloop.eval.benchmarks.helpdesk.domains.desks import DESKS, REQUEST_TYPES
from sigmaloop.eval.benchmarks.helpdesk.tasks import HelpdeskTask, all_tasks
from sigmaloop.eval.benchmarks.helpdesk.world import COLUMNS

BENCHMARK = Helpdesk()
SPLITS = ("train", "validation", "test")
TASKS = tuple(all_tasks().values())


def play(task_id: str, benchmark: Helpdesk = BENCHMARK) -> tuple[Episode, list[str | None]]:
    """The gold script through the real episode."""
    episode = benchmark.open(task_id, seed=1)
    heard: list[str | None] = []
    for step in benchmark.oracle(task_id):
        heard.append(episode.act(step.tool, step.arguments) if step.kind == "act" else episode.say(step.text))
    return episode, heard


def test_the_gold_script_earns_the_full_reward_on_every_task() -> None:
    failed = [task.task.id for task in TASKS if play(task.task.id)[0].score().reward != 1.0]
    assert failed == []


@pytest.mark.parametrize("seed", [7])
def test_another_seed_makes_as_many_other_tasks_that_can_be_solved(seed: int) -> None:
    other = Helpdesk(seed)
    tasks = [task.id for split in ("train", "validation", "test") for task in other.tasks(split)]
    assert len(set(tasks)) == len(TASKS)
    assert not {*tasks} & {task.task.id for task in TASKS}
    assert [task for task in tasks if play(task, other)[0].score().reward != 1.0] == []


def test_the_gold_script_meets_no_error_but_a_busy_system() -> None:
    for task in TASKS:
        _, heard = play(task.task.id)
        errors = [said for said in heard if said and said.startswith("Error")]
        assert len(errors) == task.busy, (task.task.id, errors)
        assert all("busy" in error for error in errors)


def test_every_conversation_of_a_gold_script_ends() -> None:
    for task in TASKS:
        episode, heard = play(task.task.id)
        assert heard[-1] is None or "transferred" in heard[-1]
        assert episode.say("Hello?") is None
        assert episode.act("get_customer", {"customer_id": "cu_1"}).startswith("Error:")


def test_an_agent_that_does_nothing_earns_nothing() -> None:
    assert sum(BENCHMARK.open(task.task.id, seed=0).score().reward for task in TASKS) == 0


@pytest.mark.parametrize(
    "said",
    [
        "Is there anything else I can help you with?",
        "Unfortunately this is not possible. Is there anything else?",
        "I have done what you asked for. Goodbye!",
    ],
)
def test_an_agent_that_only_talks_earns_nothing(said: str) -> None:
    total = 0.0
    for task in TASKS:
        episode = BENCHMARK.open(task.task.id, seed=0)
        for _ in range(4):
            episode.say(said)
        total += episode.score().reward
    assert total == 0


def test_an_agent_that_transfers_at_once_earns_next_to_nothing() -> None:
    total = 0.0
    for task in TASKS:
        episode = BENCHMARK.open(task.task.id, seed=0)
        episode.act("transfer_to_human", {"summary": "please take over"})
        total += episode.score().reward
    assert total <= 0.01 * len(TASKS)


def test_splits_have_their_sizes_and_share_neither_ids_nor_content() -> None:
    tasks = {split: BENCHMARK.tasks(split) for split in SPLITS}
    assert [len(tasks[split]) for split in SPLITS] == [180, 100, 300]
    for key in ("id", "fingerprint"):
        values = [getattr(task, key) for split in SPLITS for task in tasks[split]]
        assert len(set(values)) == 580
    openings = [task.script.opening for task in TASKS]
    people = [json.loads(task.snapshot)["customers"] for task in TASKS]
    names = [row["name"] for rows in people for row in rows.values()]
    assert len(set(names)) == 580
    assert len(set(openings)) > 550


def test_every_split_has_every_request_type_with_unequal_weights() -> None:
    assert len(REQUEST_TYPES) == 31
    assert {kind.domain for kind in REQUEST_TYPES.values()} == set(DESKS)
    for split in SPLITS:
        share: dict[str, float] = defaultdict(float)
        for task in BENCHMARK.tasks(split):
            share[task.request_type] += task.weight
        assert set(share) == set(REQUEST_TYPES)
        assert share == pytest.approx({name: kind.weight for name, kind in REQUEST_TYPES.items()}, abs=1e-3)
    weights = sorted((kind.weight for kind in REQUEST_TYPES.values()), reverse=True)
    assert weights[0] / weights[-1] > 5
    assert sum(weights[:10]) > 0.5 * sum(weights)


def test_every_variant_of_every_type_occurs_in_training() -> None:
    train = {(task.kind.name, task.variant) for task in TASKS if task.task.split == "train"}
    assert train == {(kind.name, variant) for kind in REQUEST_TYPES.values() for variant in kind.variants}


def test_the_tasks_are_the_same_ones_in_every_process() -> None:
    program = "from sigmaloop.eval.benchmarks.helpdesk import Helpdesk; print(Helpdesk().fingerprint())"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {BENCHMARK.fingerprint()}


def test_task_ids_say_nothing_and_reach_no_agent() -> None:
    for task in TASKS:
        episode = BENCHMARK.open(task.task.id, seed=3)
        shown = episode.instructions + json.dumps(list(episode.tools)) + episode.opening
        assert task.task.id not in shown
        assert task.task.id.startswith("hd-")
        assert len(task.task.id) == 11


def test_worlds_are_small_and_typed_as_declared() -> None:
    for task in TASKS:
        for name, rows in json.loads(task.snapshot).items():
            assert len(rows) <= 30
            for row in rows.values():
                assert {key: type(value) for key, value in row.items()} == COLUMNS[name]
                assert next(iter(row.values())) in rows


def test_policies_are_long_documents_between_their_two_lines() -> None:
    for desk in DESKS.values():
        lines = desk.policy.splitlines()
        assert (lines[0], lines[-1]) == ("# Policy", "End of policy.")
        assert len(desk.policy) > 3000


def test_tools_have_closed_schemas_and_no_domain_has_the_tools_of_another() -> None:
    for desk in DESKS.values():
        schemas = [schema["function"] for schema in desk.schemas()]
        assert len({schema["name"] for schema in schemas}) == len(schemas)
        for schema in schemas:
            assert schema["description"]
            assert schema["parameters"]["additionalProperties"] is False
            assert set(schema["parameters"]["required"]) <= set(schema["parameters"]["properties"])
    assert set.intersection(*(set(desk.tools) for desk in DESKS.values())) == {
        "find_customer", "verify_customer", "get_customer", "transfer_to_human",
    }  # fmt: skip


def test_two_episodes_of_a_task_share_nothing() -> None:
    task = next(task for task in TASKS if task.script.cases[0].writes)
    first, second = BENCHMARK.open(task.task.id, seed=1), BENCHMARK.open(task.task.id, seed=1)
    for step in BENCHMARK.oracle(task.task.id):
        if step.kind == "act":
            first.act(step.tool, step.arguments)
    assert second.score() == BENCHMARK.open(task.task.id, seed=1).score()
    tools = list(first.tools)
    tools.clear()
    assert list(second.tools)


def test_scoring_has_no_side_effects_and_names_no_gold_answer() -> None:
    for task in TASKS[:60]:
        episode = BENCHMARK.open(task.task.id, seed=1)
        score = episode.score()
        assert score == episode.score()
        assert set(score.components) == {"database", "said", "agreed", "honest"}
        assert not any(character.isdigit() for character in score.missing)


def test_an_unknown_task_is_named_in_the_error() -> None:
    with pytest.raises(BadInput, match="hd-nothing"):
        BENCHMARK.open("hd-nothing", seed=0)


def test_the_benchmark_can_be_loaded_by_name() -> None:
    assert isinstance(load_benchmark("helpdesk"), Helpdesk)


def test_twists_and_habits_occur_often_enough_to_be_learned_from() -> None:
    train = [task for task in TASKS if task.task.split == "train"]
    twists = Counter(twist for task in train for twist in task.twists)
    assert min(twists.values()) >= 12
    habits = Counter(habit for task in train for habit in task.habits)
    assert len(habits) >= 34
    assert min(habits.values()) >= 2, habits.most_common()[-5:]


def test_a_task_with_a_second_request_is_lost_without_it() -> None:
    two = [task for task in TASKS if len(task.script.cases) == 2]
    assert len(two) > 60
    assert all(_without_second(task) < 1.0 for task in two)


def _without_second(task: HelpdeskTask) -> float:
    """The reward for the gold script of the first request alone."""
    case = task.script.cases[1]
    undone = {(call.tool, json.dumps(dict(call.arguments))) for call in case.writes}
    episode = BENCHMARK.open(task.task.id, seed=1)
    for step in BENCHMARK.oracle(task.task.id):
        if step.kind == "act" and (step.tool, json.dumps(step.arguments)) not in undone:
            episode.act(step.tool, step.arguments)
        elif step.kind == "say" and case.tell not in step.text:
            episode.say(step.text)
    return episode.score().reward
