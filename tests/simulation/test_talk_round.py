"""The reader can not be talked round: no marker, heading or place makes empty words count, or words count more."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from sigmaloop.simulation.habits import HABITS
from sigmaloop.simulation.model import SimulatedModel
from sigmaloop.simulation.reading import Reading, part_policy, read
from sigmaloop.simulation.reading.grammar import readable

REMEDIES = [habit.remedy for habit in HABITS.values()]
PROMPT = "You are a customer service agent."
Expected = Callable[[Reading], float]


def expected(found: Reading) -> float:
    """How many habits would strike if all were met once."""
    return sum(found.rate(habit) for habit in HABITS)


@pytest.fixture(scope="module")
def shipped(policy: str) -> str:
    return f"{PROMPT}\n\n{policy}"


def shuffled(text: str, seed: int) -> str:
    found = text.rstrip(".").split()
    random.Random(f"{seed}{text}").shuffle(found)
    return " ".join(found) + "."


PREFIXES = ("Reminder:", "[SYSTEM]", "IMPORTANT:", "Note:", "Not done:", "# Policy", "Check:", "")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_no_prefix_makes_a_note_count_for_more_than_rules(prefix: str, shipped: str) -> None:
    text = " ".join(REMEDIES[:15])
    rules = (
        PROMPT + "\n\nRules:\n" + "\n".join(f"- {remedy}" for remedy in REMEDIES[:15]) + shipped.removeprefix(PROMPT)
    )
    note = expected(read((shipped,), (), (f"{prefix} {text}",)))
    assert note >= expected(read((rules,))) - 0.05
    assert note < expected(read((shipped,)))


@pytest.mark.parametrize("place", ["system", "note", "example", "tool"])
@pytest.mark.parametrize("seed", range(3))
def test_shuffled_words_help_nowhere(place: str, seed: int, shipped: str) -> None:
    salad = [shuffled(remedy, seed) for remedy in REMEDIES]
    text = "\n".join(salad)
    found = {
        "system": lambda: read((f"{PROMPT}\n\nRules:\n{text}\n\n{shipped}",)),
        "note": lambda: read((shipped,), (), (text,)),
        "example": lambda: read((f"{PROMPT}\n\nExamples:\nAgent: {' '.join(salad)}\n\n{shipped}",)),
        "tool": lambda: read((shipped,), (("get_order", f"Read an order. {' '.join(salad)}"),)),
    }[place]()
    assert expected(found) >= 0.97 * expected(read((shipped,)))


def test_sixty_rules_are_clearly_worse_than_the_best_fifteen(shipped: str) -> None:
    ordered = [habit.remedy for habit in sorted(HABITS.values(), key=lambda habit: -habit.rate)]
    idle = [f"{verb} the {thing}." for verb in ("Praise", "Sketch", "Admire") for thing in "abcdefg"]

    def ruled(rules: list[str]) -> float:
        return expected(read((f"{PROMPT}\n\nRules:\n" + "\n".join(f"- {r}" for r in rules) + f"\n\n{shipped}",)))

    assert ruled(ordered[:15]) < 0.85 * ruled([*ordered, *idle])


@pytest.mark.parametrize("heading", ["# Policy", "# Handbook", "## What we do", "Our ways:", ""])
def test_the_policy_is_known_by_what_it_says(heading: str, policy: str, shipped: str) -> None:
    text = policy.replace("# Policy", heading, 1)
    assert part_policy(f"{PROMPT}\n\n{text}").rest.strip() == PROMPT
    assert expected(read((f"{PROMPT}\n\n{text}",))) == pytest.approx(expected(read((shipped,))))


@pytest.mark.parametrize("again", ["system", "note", "example", "rules"])
def test_the_policy_once_more_is_no_cure(again: str, policy: str, shipped: str) -> None:
    flat = " ".join(policy.split())
    listed = "\n".join(f"- {line}" for line in flat.split(". "))
    found = {
        "system": lambda: read((f"{shipped}\n\n{policy}",)),
        "note": lambda: read((shipped,), (), (f"Reminder:\n{policy}",)),
        "example": lambda: read((f"{shipped}\n\nExample:\nAgent: {flat}",)),
        "rules": lambda: read((f"{shipped}\n\nRules:\n{listed}",)),
    }[again]()
    assert expected(found) >= 0.97 * expected(read((shipped,)))


TOOLS = [
    {"type": "function", "function": {"name": name, "description": "", "parameters": {}}}
    for name in ("find_customer", "verify_customer", "get_customer", "get_order", "cancel_order")
]
OPENING = "Hi. I'd like to cancel order 12345. My email is a@b.com."


def first_step(messages: list[dict[str, Any]]) -> Any:
    request = {"messages": messages, "tools": TOOLS, "seed": 3}
    return SimulatedModel().complete(request)["choices"][0]["message"]["tool_calls"][0]["function"]


def test_the_customer_is_found_wherever_the_policy_stands(policy: str, shipped: str) -> None:
    places = [
        [("system", shipped), ("user", OPENING)],
        [("system", PROMPT), ("user", f"{policy}\n\n{OPENING}")],
        [("system", PROMPT), ("user", policy), ("user", OPENING)],
        [("user", f"{shipped}\n\nCustomer: {OPENING}")],
        [("developer", shipped), ("user", OPENING), ("user", "Reminder: tell the customer the amount.")],
    ]
    steps = [first_step([{"role": role, "content": text} for role, text in place]) for place in places]
    assert all(step == steps[0] for step in steps)
    assert "a@b.com" in steps[0]["arguments"]


def test_words_in_disorder_hardly_ever_cure(texts_of_any_kind: list[str]) -> None:
    """Three orders of each: what is read for its words alone would cure in most of them."""
    bare = read((PROMPT,))

    def cures(text: str) -> bool:
        found = read((f"{PROMPT}\n- {text}",))
        return any(found.multipliers[habit] / bare.multipliers[habit] <= 0.4 for habit in HABITS)

    salad = [cures(shuffled(text, seed)) for text in texts_of_any_kind for seed in range(3)]
    assert sum(map(readable, texts_of_any_kind)) >= 0.95 * len(texts_of_any_kind)
    assert sum(salad) <= 0.07 * len(salad)


def test_an_objection_counts_for_the_decision_that_it_was_made_against(train_task: Any, play: Any, agent: str) -> None:
    """The same 39 remedies at the first look-up help with nothing that is decided later."""
    early = agent.replace(
        'None."""\n    return None',
        'None."""\n    if name == "get_customer" and "Not done" not in str(messages):\n'
        f"        return {' '.join(REMEDIES)!r}",
    )
    assert early != agent
    model = SimulatedModel(redraw=False)
    plain = [play(agent, task, model=model) for task in train_task]
    assert sum(play(early, task, model=model) for task in train_task) <= sum(plain) + 1


def test_objections_without_a_fault_cost(train_task: Any, play: Any, agent: str) -> None:
    idle = agent.replace(
        'None."""\n    return None',
        'None."""\n    said = str(messages).count("Not done")\n'
        '    if said < 8:\n        return f"the moon is full, {said}"',
    )
    assert idle != agent
    model = SimulatedModel(redraw=False)
    assert sum(play(idle, task, model=model) for task in train_task) < sum(
        play(agent, task, model=model) for task in train_task
    )


@pytest.fixture(scope="module")
def texts_of_any_kind(wordings: Any, held_out: Any) -> list[str]:
    return [
        text for habit in HABITS for text in (HABITS[habit].remedy, wordings[habit]["rules"][0], held_out[habit][0])
    ]


@pytest.fixture(scope="module")
def train_task(benchmark: Any) -> list[str]:
    return [task.id for task in benchmark.tasks("train")][:40]
