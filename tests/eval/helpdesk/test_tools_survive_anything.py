"""Whatever an agent passes, a tool answers with text, says what is wrong, and a refused call changes nothing."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.eval.benchmarks.helpdesk import Helpdesk
from sigmaloop.eval.benchmarks.helpdesk.domains.desks import DESKS
from sigmaloop.eval.benchmarks.helpdesk.tasks import HelpdeskTask, all_tasks
from sigmaloop.eval.benchmarks.helpdesk.tools import Tool, call
from sigmaloop.eval.benchmarks.helpdesk.world import COLUMNS, World

BENCHMARK = Helpdesk()
TASKS = tuple(all_tasks().values())
NAMES = sorted({name for desk in DESKS.values() for name in desk.tools})
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True, allow_infinity=True) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def task_of(domain: str) -> HelpdeskTask:
    return next(task for task in TASKS if task.kind.domain == domain)


def ids(world: World) -> list[str]:
    return [key for rows in world.tables.values() for key in rows]


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(NAMES) | st.text(max_size=20), arguments=JUNK, task=st.sampled_from(TASKS))
def test_junk_is_answered_with_a_text(name: str, arguments: Any, task: HelpdeskTask) -> None:
    episode = BENCHMARK.open(task.task.id, seed=0)
    before = episode.score()
    result = episode.act(name, arguments)
    assert isinstance(result, str)
    assert len(result) < 20_000
    if result.startswith("Error:"):
        assert episode.score() == before
    else:
        json.loads(result)


@st.composite
def plausible_calls(draw: st.DrawFn) -> tuple[HelpdeskTask, str, dict[str, Any]]:
    """A tool of the task's domain with its own argument names, and values that are nearly right."""
    task = draw(st.sampled_from(TASKS))
    tool = draw(st.sampled_from(sorted(DESKS[task.kind.domain].tools)))
    params = DESKS[task.kind.domain].tools[tool].params
    known = st.sampled_from(ids(World(task.snapshot)))
    numbers = st.integers(-3, 60) | st.sampled_from([math.nan, math.inf, -1.5, 2.0, 1e300, 10**400, True])
    value = known | numbers | st.lists(known | numbers, max_size=3) | st.text(max_size=10) | st.booleans()
    chosen = {key: draw(st.sampled_from(param.choices) if param.choices else value) for key, param in params.items()}
    return task, tool, chosen


@settings(max_examples=300, deadline=None)
@given(drawn=plausible_calls())
def test_nearly_right_calls_keep_the_world_as_it_is_declared(drawn: tuple[HelpdeskTask, str, dict[str, Any]]) -> None:
    task, name, arguments = drawn
    world = World(task.snapshot)
    result = call(DESKS[task.kind.domain].tools, world, name, arguments)
    if result.startswith("Error:"):
        assert world.tables.get("orders") == World(task.snapshot).tables.get("orders")
    else:
        json.loads(result, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    for table, rows in world.tables.items():
        for row in rows.values():
            assert {key: type(row[key]) for key in COLUMNS[table]} == COLUMNS[table]


@settings(max_examples=40, deadline=None)
@given(drawn=st.lists(plausible_calls(), min_size=1, max_size=6))
def test_an_episode_survives_any_sequence_of_calls(drawn: list[tuple[HelpdeskTask, str, dict[str, Any]]]) -> None:
    episode = BENCHMARK.open(drawn[0][0].task.id, seed=0)
    for _, name, arguments in drawn:
        assert isinstance(episode.act(name, arguments), str)
    assert 0.0 <= episode.score().reward <= 1.0


def test_a_refused_write_changes_nothing() -> None:
    """Every write of every gold script, with one argument spoiled after the other."""
    for task in TASKS[:120]:
        desk = DESKS[task.kind.domain].tools
        for step in task.calls:
            if not desk[step.tool].writes or step.tool == "transfer_to_human":
                continue
            for key in step.arguments:
                world = World(task.snapshot)
                result = call(desk, world, step.tool, {**step.arguments, key: {"nested": ["junk"]}})
                assert result.startswith(f"Error: {key}"), result
                assert world.tables == World(task.snapshot).tables


BAD = [
    ("get_order", {"order_id": "48213"}, "order_id must be an id like or_48213, not '48213'"),
    ("get_order", {}, "get_order needs the argument order_id"),
    ("get_order", {"order_id": None}, "get_order needs the argument order_id"),
    ("get_order", {"order_id": 48213}, "order_id must be a text, not 48213"),
    ("get_order", {"order_id": "or_1"}, "there is no order or_1"),
    ("get_order", {"order": "or_1"}, "get_order has no argument 'order'"),
    ("get_order", "or_1", "the arguments of get_order must be an object"),
    ("get_ordr", {}, "there is no tool 'get_ordr'; there are:"),
    ("cancel_order", {"order_id": "or_48213", "reason": "bored"}, "reason must be one of no_longer_needed"),
    (
        "return_items",
        {"order_id": "or_48213", "item_ids": "it_1", "payment_method_id": "pm_1"},
        "item_ids must be a list",
    ),
    (
        "return_items",
        {"order_id": "or_48213", "item_ids": [], "payment_method_id": "pm_1"},
        "item_ids must hold 1 to 20",
    ),
    ("find_customer", {}, "find_customer needs an email"),
    ("find_customer", {"name": "Ada Brandt"}, "find_customer needs an email"),
    ("find_customer", {"email": "nobody@example.com"}, "no customer found for nobody@example.com"),
    ("verify_customer", {"customer_id": "cu_1", "birth_date": "March 9"}, "birth_date must be a date like 1984-03-09"),
]


@pytest.mark.parametrize(("name", "arguments", "reason"), BAD, ids=[f"{name}-{i}" for i, (name, *_) in enumerate(BAD)])
def test_an_error_says_what_is_wrong(name: str, arguments: Any, reason: str) -> None:
    result = BENCHMARK.open(task_of("retail").task.id, seed=0).act(name, arguments)
    assert result.startswith(f"Error: {reason}"), result


@pytest.mark.parametrize(
    "number", [math.nan, math.inf, -math.inf, 1e300, 10**400, 2.5, True, "two", None, [2], {"gb": 2}], ids=repr
)
def test_no_odd_number_passes_as_gigabytes(number: Any) -> None:
    world = World(task_of("telecom").snapshot)
    line = next(iter(world.table("lines")))
    before = World(task_of("telecom").snapshot).tables
    result = call(DESKS["telecom"].tools, world, "add_data", {"line_id": line, "gb": number})
    assert result.startswith("Error: ")
    assert len(result) < 300
    assert world.tables == before


def test_a_megabyte_is_refused_in_a_short_answer() -> None:
    huge = "x" * 1_000_000
    episode = BENCHMARK.open(task_of("retail").task.id, seed=0)
    for arguments in ({"order_id": huge}, {huge: 1}, {"order_id": [huge]}, huge):
        assert len(episode.act("get_order", arguments)) < 400  # type: ignore[arg-type]
    assert len(episode.act(huge, {})) < 1000
    assert len(episode.act("find_customer", {"email": huge})) < 400


def test_calls_that_repeat_what_cannot_be_repeated_are_refused() -> None:
    once = {
        "cancel_order",
        "exchange_items",
        "modify_items",
        "pay_bill",
        "credit_charge",
        "end_contract",
        "resume_line",
    }
    for task in TASKS:
        world, desk = World(task.snapshot), DESKS[task.kind.domain].tools
        for step in task.calls:
            call(desk, world, step.tool, step.arguments)
            if step.tool in once:
                state = json.dumps(world.tables)
                assert call(desk, world, step.tool, step.arguments).startswith("Error: ")
                assert json.dumps(world.tables) == state


def test_only_tools_that_write_change_the_world() -> None:
    for task in TASKS[:150]:
        desk: dict[str, Tool] = dict(DESKS[task.kind.domain].tools)
        world = World(task.snapshot)
        for step in task.calls:
            if not desk[step.tool].writes and step.tool != "verify_customer":
                state = json.dumps(world.tables)
                assert not call(desk, world, step.tool, step.arguments).startswith("Error")
                assert json.dumps(world.tables) == state
