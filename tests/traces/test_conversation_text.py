"""Traces as people read them: nothing is wider than the terminal, nothing operates it, and new kinds just appear."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.records import Course, ModelCall, Rollout, RolloutKey, Step, Trace, Usage
from sigmaloop.traces.columns import cells, cut, wrap
from sigmaloop.traces.conversation_text import LINES, conversation, listing
from sigmaloop.traces.side_by_side import aligned, side_by_side

TEXT = st.text(alphabet=st.sampled_from("ab \n\t\x1b\u202e漢é\u0301\u200b|`#"), max_size=120)


def rollout(task: str = "t1", **fields: object) -> Rollout:
    known = {"key": RolloutKey(agent="a" * 16, task_id=task, trial=0), "seed": 1, "status": "ok", "reward": 0.0}
    return Rollout.model_validate({**known, "split": "validation", "request_type": "refund", **fields})


def steps(*given: tuple[str, str]) -> tuple[Step, ...]:
    made = []
    for place, (kind, text) in enumerate(given):
        more = {"tool": "find", "arguments": {"order": "#1"}} if kind == "act" else {}
        made.append(Step.model_validate({"index": place, "kind": kind, "text": text, **more}))
    return tuple(made)


TALK = steps(("user", "Where is it?"), ("act", "on its way"), ("say", "On its way."))
COURSE = Course(calls=(ModelCall(step=1, model="gpt-x", prompt="0123456789ab", input_tokens=1200, seconds=0.5),))


def test_a_conversation_tells_who_said_what_and_what_it_cost() -> None:
    whole = Trace(
        rollout=rollout(
            detail="the refund is missing", usage=Usage(calls=1, input_tokens=1200), components={"db": 0.5}
        ),
        steps=TALK,
        course=COURSE,
    )
    lines = conversation(whole, width=80, agent="A0003", place="run-1")
    text = "\n".join(lines)
    for words in (
        "failed, reward 0.00", "t1, trial 0, refund, validation", "A0003, aaaa", "of run-1", "3 steps, 1 model calls",
        "the refund is missing", "db 0.5", '1 call     find(order="#1")', "result   on its way",
        "2 agent    On its way.",
    ):  # fmt: skip
        assert words in text
    place = next(n for n, line in enumerate(lines) if "gpt-x, 1,200 in, 0 out, 0.50 s, prompt 01234567" in line)
    assert "0 user" in lines[place - 1]
    assert "1 call" in lines[place + 1], "a model call stands where it was made"


def test_a_kind_of_step_that_is_new_just_appears() -> None:
    new = Step.model_construct(index=3, kind="refused", text="ask for a yes first", tool="pay", arguments={})  # type: ignore[arg-type]
    lines = conversation(Trace.model_construct(rollout=rollout(), steps=(*TALK, new)), width=80)
    assert "   3 refused  pay()" in lines
    assert "     result   ask for a yes first" in lines


def test_long_steps_are_cut_unless_everything_is_asked_for() -> None:
    talk = Trace(rollout=rollout(), steps=steps(("say", "\n".join(f"line {n}" for n in range(40)))))
    short, full = (conversation(talk, width=80, full=full) for full in (False, True))
    assert any(f"{40 - LINES} lines more; --full" in line for line in short)
    assert "line 39" in full[-1]
    assert "line 39" not in short[-1]


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.tuples(st.sampled_from(["user", "say", "act"]), TEXT), max_size=4), width=st.integers(40, 130))
def test_nothing_is_wider_than_the_terminal_and_nothing_operates_it(texts: list[tuple[str, str]], width: int) -> None:
    one = Trace(rollout=rollout(), steps=steps(*texts), course=COURSE)
    other = Trace(rollout=rollout("t2"), steps=steps(*texts[:2], ("say", "else")))
    lines = [
        *conversation(one, width=width),
        *side_by_side(one, other, width=width),
        *listing([one], width=width, names={}),
    ]
    assert [line for line in lines if cells(line) > width] == []
    assert not any(c in "".join(lines) for c in "\x1b\u202e\u200b\t")


@given(text=TEXT, width=st.integers(4, 40))
@settings(max_examples=60, deadline=None)
def test_wrapping_loses_nothing_but_spaces(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(cells(line) <= width for line in lines)
    seen = "".join("".join(lines).split())
    assert seen == "".join(text.translate(dict.fromkeys(map(ord, "\x1b\u202e\u200b"))).split())
    assert cells(cut(text, width)) <= width


def test_two_traces_part_where_they_part() -> None:
    other = steps(("user", "Where is it?"), ("say", "Which order?"), ("user", "The last."), ("act", "on its way"))
    lines = side_by_side(Trace(rollout=rollout(), steps=TALK), Trace(rollout=rollout("t2"), steps=other), width=80)
    same = [line for line in lines if " = " in line and "Where is it?" in line]
    assert len(same) == 1
    assert any(
        "on its way" in line.split(" = ")[0] and line.count("on its way") == 2 for line in lines if " = " in line
    )
    assert any(" | " in line and "Which order?" in line for line in lines)


@given(left=st.lists(st.sampled_from("abc"), max_size=6), right=st.lists(st.sampled_from("abc"), max_size=6))
@settings(max_examples=50, deadline=None)
def test_every_step_of_both_stands_in_one_row_in_its_order(left: list[str], right: list[str]) -> None:
    one, other = steps(*(("say", x) for x in left)), steps(*(("say", x) for x in right))
    rows = list(aligned(one, other))
    assert tuple(a for a, _ in rows if a) == one
    assert tuple(b for _, b in rows if b) == other


@pytest.mark.parametrize("width", [80, 140])
def test_a_list_of_traces_fits_and_keeps_its_columns(width: int) -> None:
    traces = [Trace(rollout=rollout(f"a-rather-long-task-id-{n}")) for n in range(3)]
    lines = listing(traces, width=width, names={"a" * 16: "A0001"})
    assert len(lines) == 4
    assert all(cells(line) <= width for line in lines)
    assert lines[1].startswith(traces[0].rollout.id[:8])
    assert "A0001" in lines[1]
