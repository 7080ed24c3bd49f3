"""The simulated engineer makes good and bad changes in the documented shares, and each does what its kind promises."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sigmaloop.agents.brief import Brief, EngineerTools, PastAttempt
from sigmaloop.agents.harness_engineer import HarnessEngineer
from sigmaloop.errors import InadmissibleChange
from sigmaloop.simulation.habits import HABITS
from sigmaloop.simulation.specialists.changes import SHARES
from sigmaloop.tools.changes.edits import check_change, unified_diff

SEEDS = range(200)
NAMES = list(HABITS)


@pytest.fixture(scope="module")
def attempts(attempt: Any) -> list[tuple[str, Any]]:
    """One attempt for each of 200 seeds, over all habits in turn."""
    return [(NAMES[seed % len(NAMES)], attempt(NAMES[seed % len(NAMES)], seed, words=seed)) for seed in SEEDS]


def fate(source: str, changed: str) -> str:
    try:
        check_change(source, changed, task_ids=())
    except InadmissibleChange as refusal:
        return refusal.code
    return "ok"


def test_the_shares_of_good_and_bad_proposals_are_as_documented(attempts: Any) -> None:
    found = Counter(made.plan.quality for _, made in attempts)
    for quality, share in SHARES:
        assert abs(found[quality] / len(attempts) - share) < 0.08, quality
    assert abs(sum(share for _, share in SHARES) - 1) < 1e-9


def test_every_edit_changes_the_shipped_agent(attempts: Any, shipped: str) -> None:
    assert all(made.source != shipped for _, made in attempts)
    assert all(made.calls <= 9 for _, made in attempts)


def test_only_broken_and_empty_changes_are_inadmissible(attempts: Any, shipped: str) -> None:
    expected = {"broken": "syntax", "empty": "unchanged"}
    for _, made in attempts:
        assert fate(shipped, made.source) == expected.get(made.plan.quality, "ok"), made.plan


def test_vague_changes_hardly_help(attempts: Any, reading: Any, shipped: str) -> None:
    before = reading(shipped)
    for habit, made in attempts:
        if made.plan.quality == "vague":
            assert reading(made.source).multipliers[habit] > 0.7 * before.multipliers[habit], made.plan


def test_overfitted_changes_name_a_case(attempts: Any) -> None:
    overfit = [made for _, made in attempts if made.plan.quality == "overfit"]
    assert overfit
    assert all("or_48213" in made.plan.text for made in overfit)


def test_a_check_lets_the_call_pass_once_its_rule_was_heard(attempts: Any) -> None:
    checks = [made for _, made in attempts if made.plan.kind == "control_flow" and made.plan.quality == "specific"]
    assert len(checks) >= 8
    for made in checks:
        agent: dict[str, Any] = {}
        exec(made.source, agent)
        objection = agent["check_call"](made.plan.tool, {}, [{"role": "user", "content": "Hello."}])
        heard = [
            {"role": "user", "content": "Hello."},
            {"role": "assistant", "tool_calls": [{"function": {"name": "verify_customer"}}]},
            {"role": "tool", "content": f"Not done: {objection}"},
            {"role": "user", "content": "Yes, go ahead."},
        ]
        assert agent["check_call"](made.plan.tool, {}, heard) is None
        assert agent["check_call"]("get_order", {}, heard[:1]) is None


def test_changes_apply_to_an_agent_that_was_changed_ten_times(attempt: Any, shipped: str) -> None:
    source, kept, seed = shipped, 0, 1000
    while kept < 10:
        made = attempt(NAMES[seed % len(NAMES)], seed, source=source, words=seed)
        if made.plan.quality in ("specific", "broad", "overfit") and fate(source, made.source) == "ok":
            source, kept = made.source, kept + 1
        seed += 1
    for number in range(40):
        made = attempt(NAMES[number % len(NAMES)], 5000 + number, source=source, words=number)
        assert made.source != source
        if made.plan.quality in ("specific", "vague", "broad", "overfit", "repeat"):
            assert fate(source, made.source) == "ok", made.plan
            added = [row for row in unified_diff(source, made.source).splitlines() if row.startswith("+")]
            assert len(added) <= 8


LIKE = '\n\nPROMPT = """Help the customer."""\n\n\ndef run(session):\n    session.say(PROMPT)\n'


@pytest.mark.parametrize("source", [LIKE, 'SYSTEM_PROMPT = """Hi."""\nRULES = ("a",)\n' + LIKE])
def test_an_agent_of_another_shape_gets_its_rule_into_the_prompt(attempt: Any, source: str) -> None:
    made = [attempt(NAMES[i], i, source=source) for i in range(12)]
    specific = [m for m in made if m.plan.quality == "specific"]
    assert specific
    assert all(m.plan.text in m.source for m in specific)


def test_after_rejections_another_kind_of_change_is_tried(attempt: Any) -> None:
    past = "- [prompt] Adds the rule: Ask. -> rejected by validation\n- [tool] Adds: Ask. -> rejected by regression"
    made = [attempt("skips_confirmation", seed, attempts=past) for seed in range(60)]
    kinds = {m.plan.kind for m in made if m.plan.quality == "specific"}
    assert kinds
    assert not kinds & {"prompt", "tool"}


def test_who_is_shown_past_attempts_repeats_them_less(attempt: Any) -> None:
    past = "- [prompt] Adds the rule: Ask the customer first. -> rejected by validation"
    blind = [attempt("skips_confirmation", seed).plan.quality for seed in range(400)]
    shown = [attempt("skips_confirmation", seed, attempts=past).plan.quality for seed in range(400)]
    assert shown.count("repeat") < 0.5 * blind.count("repeat")


def test_the_same_brief_and_seed_make_the_same_change(attempt: Any) -> None:
    assert attempt("omits_amount", 5) == attempt("omits_amount", 5)
    assert attempt("omits_amount", 5) != attempt("omits_amount", 6)


def test_the_real_engineer_works_with_the_simulated_model(
    models: Any, cluster: Any, shipped: str, attempts: Any
) -> None:
    """Through create_agent, ChatOpenAI, HTTP and the gateway."""
    tools = EngineerTools(
        shipped,
        *[lambda _: ["nothing yet"]] * 3,
        lambda _: '[0] USER: Hi.\n[1] CALL cancel_order {"order_id": "or_10001"}\n[1] RESULT {}',
        lambda _: "The agent ran to its end.",
        lambda *_: "(2 replays left)\nIt passed.",
    )
    changed = set()
    for number, habit in enumerate(NAMES[:12]):
        target = cluster(number + 1, habit, 2)
        brief = Brief(
            cluster=target,
            attempts=(PastAttempt(kind="context", summary="Shows it twice.", outcome="rejected", gate="regression"),),
            attempt=1,
            agent=shipped,
        )
        proposal = HarnessEngineer(models, setting="s").propose(brief, tools, scope=f"propose:A{number:04d}")
        assert proposal.source != shipped
        changed.add(proposal.source)
    assert len(changed) == 12


REMEDY = "Ask the customer to confirm what will be changed, and make the change only after a yes."
GOOD_IDEA = f"  next idea: Say what to do: {REMEDY}"
PAST = "- A0001 [prompt] Adds the rule: Mind this. -> rejected by cluster_tasks"


def specific(made: Any) -> float:
    return sum(m.plan.quality == "specific" for m in made) / len(made)


def test_knowing_why_the_last_attempt_failed_makes_the_next_one_better(attempt: Any) -> None:
    blind = [attempt("skips_confirmation", seed) for seed in range(80)]
    warned = [attempt("skips_confirmation", seed, attempts=PAST) for seed in range(80)]
    told = [attempt("skips_confirmation", seed, attempts=f"{PAST}\n{GOOD_IDEA}") for seed in range(80)]
    lesson = "- L0001 (rejected by cluster_tasks) situation: s tried: t observed: o follows: Say what to do: Ask the "
    lesson += "customer to confirm what will be changed, and make the change only after a yes. Do something else."
    taught = [attempt("skips_confirmation", seed, learnings=lesson) for seed in range(80)]
    assert specific(blind) + 0.05 < specific(warned) < specific(told)
    assert specific(taught) > specific(blind) + 0.1
    of_another_cause = [attempt("omits_amount", seed, learnings=lesson) for seed in range(80)]
    assert specific(of_another_cause) < specific(taught)


def compiles(source: str) -> bool:
    try:
        compile(source, "agent.py", "exec")
    except SyntaxError:  # the engineer has bad days
        return False
    return True


def test_a_mixed_cluster_gives_a_rule_about_another_cause(attempt: Any, reading: Any, shipped: str) -> None:
    before = reading(shipped).multipliers["skips_confirmation"]

    def cured(**mixed: Any) -> int:
        made = [attempt("skips_confirmation", seed, **mixed) for seed in range(60)]
        sound = [m.source for m in made if compiles(m.source)]
        return sum(reading(source).multipliers["skips_confirmation"] < 0.5 * before for source in sound)

    assert cured(others=("omits_amount", "wrong_line", "closes_too_early", "sums_wrong")) < 0.7 * cured()


def test_a_replay_that_fails_leads_to_another_draft(attempt: Any) -> None:
    passed = [attempt("skips_confirmation", seed, replayed="(2 replays left)\nIt passed.") for seed in range(80)]
    failed = [
        attempt("skips_confirmation", seed, replayed="(2 replays left)\nIt failed: no yes.") for seed in range(80)
    ]
    assert specific(failed) > specific(passed)
    assert any(one.source != other.source for one, other in zip(passed, failed, strict=True))
    assert max(m.calls for m in failed) <= 12
