"""Conversations of other programs become steps; what their files lack is told with file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.errors import BadInput
from sigmaloop.traces.imported import Conversation, Format, Problem
from sigmaloop.traces.reading import read_conversations

CALL = {"id": "c1", "type": "function", "function": {"name": "find_order", "arguments": '{"order": "#1"}'}}
MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Where is my order?"},
    {"role": "assistant", "content": "One moment.", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "name": "find_order", "content": "on its way"},
    {"role": "assistant", "content": [{"type": "text", "text": "It is on its way."}]},
]
STEPS = [
    ("user", "", {}, "Where is my order?"),
    ("say", "", {}, "One moment."),
    ("act", "find_order", {"order": "#1"}, "on its way"),
    ("say", "", {}, "It is on its way."),
]


def told(path: Path, *records: Any, array: bool = False, **options: Any) -> tuple[list[Conversation], list[Problem]]:
    """What is read of a file of these records."""
    path.write_text(json.dumps(records) if array else "".join(f"{json.dumps(record)}\n" for record in records))
    found = list(read_conversations(path, **options))
    return [c for c in found if isinstance(c, Conversation)], [p for p in found if isinstance(p, Problem)]


def steps(conversation: Conversation) -> list[tuple[str, str, dict[str, Any], str]]:
    assert [step.index for step in conversation.steps] == list(range(len(conversation.steps)))
    return [(step.kind, step.tool, step.arguments, step.text) for step in conversation.steps]


def otlp(value: Any) -> dict[str, Any]:
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


def span(number: int, attributes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    pairs = [{"key": name, "value": otlp(value)} for name, value in attributes.items()]
    known = {"traceId": "t1", "spanId": f"s{number}", "parentSpanId": "s0", "startTimeUnixNano": f"{number}000"}
    return {**known, "attributes": pairs, **fields}


def batch(*spans: dict[str, Any]) -> dict[str, Any]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


def in_parts(messages: list[dict[str, Any]]) -> str:
    """The same messages as the newest conventions write them."""
    found = []
    for message in messages:
        parts: list[dict[str, Any]] = []
        if message["role"] == "tool":
            parts = [{"type": "tool_call_response", "id": "c1", "response": message["content"]}]
        else:
            text = message["content"] if isinstance(message["content"], str) else message["content"][0]["text"]
            parts = [{"type": "text", "content": text}]
            if "tool_calls" in message:
                parts.append({"type": "tool_call", "id": "c1", "name": "find_order", "arguments": {"order": "#1"}})
        found.append({"role": message["role"], "parts": parts})
    return json.dumps(found)


def langchain(message: dict[str, Any]) -> dict[str, Any]:
    """A message as LangChain serialises it."""
    kind = {"system": "SystemMessage", "user": "HumanMessage", "assistant": "AIMessage", "tool": "ToolMessage"}
    kwargs: dict[str, Any] = {"content": message["content"]}
    if "tool_calls" in message:
        kwargs["tool_calls"] = [{"name": "find_order", "args": {"order": "#1"}, "id": "c1"}]
    if "tool_call_id" in message:
        kwargs["tool_call_id"] = message["tool_call_id"]
    names = ["langchain", "schema", "messages", kind[message["role"]]]
    return {"lc": 1, "type": "constructor", "id": names, "kwargs": kwargs}


def run(id_: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "trace_id": "r0", "run_type": kind, "dotted_order": id_, "parent_run_id": "r0", **fields}


ROOT_RUN = {**run("r0", "chain", inputs={"q": "?"}), "parent_run_id": None}
MODEL_RUNS = [
    run("r1", "llm", inputs={"messages": [[langchain(m) for m in MESSAGES[:2]]]}, outputs={
        "generations": [[{"text": "", "message": langchain(MESSAGES[2])}]]}),
    run("r2", "tool", name="find_order", inputs={"order": "#1"}, outputs={"output": "on its way"}),
    run("r3", "llm", inputs={"messages": [[langchain(m) for m in MESSAGES[:4]]]}, outputs={
        "generations": [[{"text": "", "message": langchain(MESSAGES[4])}]]}),
]  # fmt: skip
CHAT_SPANS = [
    span(0, {"gen_ai.operation.name": "invoke_agent", "gen_ai.evaluation.score.value": 0.0}, parentSpanId=""),
    span(1, {"gen_ai.input.messages": in_parts(MESSAGES[:2]), "gen_ai.output.messages": in_parts(MESSAGES[2:3])}),
    span(2, {"gen_ai.input.messages": in_parts(MESSAGES[:4]), "gen_ai.output.messages": in_parts(MESSAGES[4:])}),
]
OLD_EVENTS = [
    {"name": f"gen_ai.{m['role']}.message", "attributes": [
        {"key": "content", "value": otlp(m["content"] if isinstance(m["content"], str) else m["content"][0]["text"])},
        *([{"key": "tool_calls", "value": otlp(json.dumps(m["tool_calls"]))}] if "tool_calls" in m else []),
        *([{"key": "id", "value": otlp("c1")}] if m["role"] == "tool" else []),
    ]}
    for m in MESSAGES
]  # fmt: skip
NUMBERED = {
    **{f"gen_ai.prompt.{n}.{field}": m[field] for n, m in enumerate(MESSAGES[:4]) for field in ("role", "content")},
    "gen_ai.prompt.2.tool_calls.0.name": "find_order",
    "gen_ai.prompt.2.tool_calls.0.arguments": '{"order": "#1"}',
    "gen_ai.completion.0.content": "It is on its way.",
}
FORMS: dict[str, tuple[list[Any], Format]] = {
    "tau-bench": ([{"task_id": 7, "trial": 2, "reward": 0.0, "traj": MESSAGES}], "tau-bench"),
    "openai object": ([{"id": "x", "messages": MESSAGES, "passed": False}], "openai"),
    "langsmith": ([*reversed(MODEL_RUNS), {**ROOT_RUN, "feedback_stats": {"correctness": {"avg": 0.0}}}], "langsmith"),
    "otel": ([batch(*CHAT_SPANS[1:]), batch(CHAT_SPANS[0])], "otel"),
    "otel events": ([batch(span(0, {}, parentSpanId="", events=OLD_EVENTS, status={"code": 2}))], "otel"),
    "otel numbers": ([batch(span(0, NUMBERED, parentSpanId="", status={"code": 2}))], "otel"),
    "otel sdk": ([{"name": "chat", "context": {"trace_id": "0x1", "span_id": "0x2"}, "status": {"status_code": "ERROR"},
                   "attributes": {"gen_ai.input.messages": in_parts(MESSAGES)}}], "otel"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("array", [False, True], ids=["lines", "array"])
def test_one_conversation_in_every_form_is_the_same_conversation(tmp_path: Path, name: str, array: bool) -> None:
    records, form = FORMS[name]
    (found,), problems = told(tmp_path / "x.json", *records, array=array)
    assert steps(found) == STEPS
    assert (found.format, found.outcome, found.instructions) == (form, "failed", "Be kind.")
    assert problems == []
    assert (found.file, found.line) == (str(tmp_path / "x.json"), 1)


def test_bare_lists_of_messages_are_read_and_their_unknown_outcome_is_told(tmp_path: Path) -> None:
    found, problems = told(tmp_path / "x.jsonl", MESSAGES, MESSAGES)
    assert [steps(one) for one in found] == [STEPS, STEPS]
    assert [one.outcome for one in found] == ["unknown"] * 2
    assert [(p.line, p.lost) for p in problems] == [(1, False), (2, False)]
    assert "whether it failed" in problems[0].said


@pytest.mark.parametrize(
    ("record", "line", "word", "lost"),
    [
        ({"task_id": 1, "reward": 1.0}, 2, "task 1 has no `traj`", True),
        ({"task_id": 1, "traj": MESSAGES}, 2, "no `reward`", False),
        ({"reward": 1.0, "traj": MESSAGES}, 2, "no `task_id`", False),
        ({"task_id": 1, "reward": 1.0, "traj": [*MESSAGES, {"content": "?"}]}, 2, "message 5 has no role", False),
        ({"task_id": 1, "reward": 1.0, "traj": [{"role": "user", "content": 1, "tool_calls": 3}]}, 2, "", False),
        ([1], 2, "not an object", True),
    ],
)
def test_what_a_trajectory_lacks_is_told(tmp_path: Path, record: Any, line: int, word: str, lost: bool) -> None:
    sound = {"task_id": 0, "reward": 1.0, "traj": MESSAGES}
    found, problems = told(tmp_path / "x.jsonl", sound, record, sound)
    assert len(found) == (2 if lost else 3)
    if word:
        (problem,) = problems
        assert (problem.file, problem.line, problem.lost) == (str(tmp_path / "x.jsonl"), line, lost)
        assert word in problem.said
        assert f"x.jsonl:{line}: " in str(problem)


@pytest.mark.parametrize(
    ("records", "word"),
    [
        ([{**ROOT_RUN, "inputs": {}, "error": "x"}], "trace r0 has no messages"),
        ([ROOT_RUN, *MODEL_RUNS], "no feedback and no error"),
        ([ROOT_RUN, {"run_type": "llm"}], "without `trace_id`"),
        ([batch(span(1, {"gen_ai.request.model": "m"}))], "no messages: the program must record content"),
        ([batch(CHAT_SPANS[1])], "no `gen_ai.evaluation.result`"),
        ([batch({"spanId": "x"})], "without `traceId`"),
        ([{"messages": []}], "no `messages`"),
        ([{"messages": ["hello"]}], "message 0 has no role"),
    ],
)
def test_what_other_formats_lack_is_told(tmp_path: Path, records: list[Any], word: str) -> None:
    _, problems = told(tmp_path / "x.jsonl", *records)
    assert any(word in problem.said for problem in problems), problems


def test_spans_of_several_conversations_lie_apart_and_come_together(tmp_path: Path) -> None:
    spans = [{**one, "traceId": trace} for one in CHAT_SPANS for trace in ("t1", "t2", "t3")]
    found, _ = told(tmp_path / "x.jsonl", *map(batch, spans))
    assert [one.id for one in found] == ["t1", "t2", "t3"]
    assert [steps(one) for one in found] == [STEPS] * 3
    told_of = {"gen_ai.conversation.id": "talk"}
    turns = [span(1, {**told_of, "gen_ai.input.messages": in_parts(MESSAGES[:2])}, traceId="t1")]
    turns += [span(2, {**told_of, "gen_ai.input.messages": in_parts(MESSAGES)}, traceId="t2")]
    (talk,), _ = told(tmp_path / "y.jsonl", *map(batch, turns))
    assert (talk.id, steps(talk)) == ("talk", STEPS), "two traces of one conversation are one"


def test_a_langsmith_trace_without_messages_is_read_from_its_tools(tmp_path: Path) -> None:
    root = {**ROOT_RUN, "inputs": {"input": "Where?"}, "outputs": {"output": "There."}, "error": "Boom\nat line 3"}
    (found,), problems = told(tmp_path / "x.jsonl", root, MODEL_RUNS[1])
    assert steps(found) == [
        ("user", "", {}, "Where?"), ("act", "find_order", {"order": "#1"}, "on its way"), ("say", "", {}, "There."),
    ]  # fmt: skip
    assert (found.outcome, found.detail) == ("failed", "Boom at line 3")
    assert problems == []


@pytest.mark.parametrize(
    ("fields", "outcome", "reward"),
    [
        ({"reward": 1}, "passed", 1.0), ({"reward": 0.4}, "failed", 0.4), ({"passed": True}, "passed", 1.0),
        ({"outcome": "Failed "}, "failed", None), ({"success": "yes"}, "passed", None),
        ({"score": "9"}, "unknown", None),
        ({"reward": float("nan")}, "unknown", None), ({"metadata": {"correct": False}}, "failed", 0.0),
    ],
)  # fmt: skip
def test_an_outcome_is_read_where_a_file_says_it(
    tmp_path: Path, fields: dict[str, Any], outcome: str, reward: float | None
) -> None:
    (found,), _ = told(tmp_path / "x.jsonl", {"messages": MESSAGES, **fields})
    assert (found.outcome, found.reward) == (outcome, reward)


def test_the_mark_from_which_a_reward_passes_can_be_set(tmp_path: Path) -> None:
    records = [{"messages": MESSAGES, "reward": reward} for reward in (0.3, 0.5, 1.0)]
    found, _ = told(tmp_path / "x.jsonl", *records, pass_at=0.5)
    assert [one.outcome for one in found] == ["failed", "passed", "passed"]


def test_an_unknown_format_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"x\.jsonl:1: .*--format"):
        told(tmp_path / "x.jsonl", {"rows": []})


def test_text_that_operates_a_terminal_is_cleaned(tmp_path: Path) -> None:
    call = {"function": {"name": "f\x07", "arguments": '{"k\\u001b": "v\\u001b"}'}}
    dirty = [
        {"role": "user", "content": "a\x1b[2Jb\u202ec\ud800"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
    ]
    (found,), _ = told(tmp_path / "x.jsonl", dirty)
    assert not any(c in repr(steps(found)) for c in ("\\x1b", "\\x07", "\\u202e", "\\ud800"))


KEYS = st.sampled_from(
    ["messages", "traj", "task_id", "reward", "role", "content", "tool_calls", "function", "inputs", "outputs",
     "run_type", "trace_id", "id", "kwargs", "generations", "traceId", "attributes", "events", "name", "resourceSpans",
     "scopeSpans", "spans", "key", "value", "status", "feedback_stats", "gen_ai.input.messages", "parts"]
)  # fmt: skip
WORDS = st.sampled_from(["user", "assistant", "tool", "llm", "gen_ai.choice", "[{}]", "", "{"])
ANY = st.recursive(
    st.none() | st.integers(-1, 2) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    records=st.lists(ANY, min_size=1, max_size=3), form=st.sampled_from(["tau-bench", "openai", "langsmith", "otel"])
)
def test_whatever_stands_in_a_file_is_read_or_told(
    records: list[Any], form: Format, tmp_path_factory: pytest.TempPathFactory
) -> None:
    found, problems = told(tmp_path_factory.mktemp("t") / "x.jsonl", *records, format=form)
    assert all(one.steps for one in found)
    assert all(problem.line >= 1 for problem in problems)
