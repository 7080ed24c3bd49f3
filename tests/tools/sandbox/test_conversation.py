"""What the agent sends and what it is answered: whose fault an end is, and frames that are none."""

from __future__ import annotations

from typing import Any

import pytest
from sandboxes import Table, assert_matches, completion, framed, raising, run

from sigmaloop.errors import ModelUnavailable, StoreError, UpstreamError
from sigmaloop.tools.sandbox.conversation import OVER
from sigmaloop.tools.sandbox.supervisor import Supervisor


def test_after_the_end_the_agent_may_talk_but_nobody_listens(supervisor: Supervisor) -> None:
    table = Table()
    body = f"assert [session.say('a'), session.say('b'), session.call('c', {{}})] == [None, None, {OVER!r}]"
    assert run(supervisor, body, table).status == "ok"
    assert table.seen == [("say", "a")]


def test_malformed_tool_arguments_come_back_to_the_agent_as_text(supervisor: Supervisor) -> None:
    table = Table()
    body = """
for bad in ([1], 'x', None, {'a': float('nan')}, {'a': {1}}):
    assert session.call('look_up', bad).startswith('Error: '), bad
assert session.call(None, {}).startswith('Error: ')
"""
    assert run(supervisor, body, table).status == "ok"
    assert table.seen == []


STRAY = [
    {"op": "reward", "reward": 1}, {"op": "done", "reward": 1}, {"op": "infra"}, {"op": "init"}, {}, {"op": None},
    {"op": "failed"}, {"op": "failed", "error": 3}, {"op": "failed", "error": "x", "status": "infra"},
    {"op": "act", "id": 1, "tool": "t"}, {"op": "act", "id": 1, "tool": "t", "args": []},
    {"op": "act", "id": 1, "tool": 5, "args": {}}, {"op": "act", "id": "1", "tool": "t", "args": {}},
    {"op": "act", "id": 1, "tool": "t", "args": {}, "result": "ok"}, {"op": "say", "id": 1},
    {"op": "say", "id": 1, "text": None}, {"op": "submit", "id": 1}, {"op": "llm", "id": 1, "request": "x"},
    {"op": "llm", "request": {}}, {"op": ["done"]}, {"id": 1, "result": "ok"},
]  # fmt: skip


@pytest.mark.parametrize("frame", STRAY, ids=str)
def test_a_stray_frame_is_an_agent_error(supervisor: Supervisor, frame: dict[str, Any]) -> None:
    table = Table()
    ended = run(supervisor, f"import os; os.write(3, {framed(frame)!r}); session.say('x')", table)
    assert ended.status == "agent_error"
    assert_matches("^bad frame: ", ended.detail)
    assert table.seen == []


@pytest.mark.parametrize(
    "data", [b"\xff" * 8, b"\0\0\0\2[]", b"\0\0\0\x04\x80\x04N.", b'\0\0\0\x09{"a":NaN}', b"GET / HTTP/1.1\r\n\r\n"]
)
def test_hostile_bytes_are_an_agent_error(supervisor: Supervisor, data: bytes) -> None:
    find = f"""
import socket, time
for n in range(3, 64):
    try:
        socket.socket(fileno=n).sendall({data!r})
    except OSError:
        pass
time.sleep(60)
"""
    ended = run(supervisor, find)
    assert ended.status == "agent_error"
    assert_matches("^bad frame: ", ended.detail)


def test_an_early_done_ends_the_rollout_and_the_rest_is_ignored(supervisor: Supervisor) -> None:
    table = Table()
    frame = framed({"op": "done", "printed": ""}) + b"\xff" * 4
    body = f"import os, time; os.write(3, {frame!r}); time.sleep(60)"
    assert run(supervisor, body, table).status == "ok"
    assert table.seen == []


def test_a_model_that_can_not_be_reached_is_infra(supervisor: Supervisor) -> None:
    for error in (UpstreamError("no route", status=502), ModelUnavailable("bad key", status=503)):
        table = Table(llm=raising(error))
        ended = run(supervisor, "try: session.complete([])\nexcept BaseException: pass", table)
        assert (ended.status, ended.detail) == ("infra", f"model call: {error}")


def test_spent_calls_are_the_agents_error(supervisor: Supervisor) -> None:
    table = Table(llm=raising(UpstreamError("all 80 calls are used up", status=402)))
    ended = run(supervisor, "try: session.complete([])\nexcept BaseException: pass", table)
    assert ended.status == "agent_error"
    assert "all 80 calls are used up" in ended.detail


def test_a_refused_request_is_told_to_the_agent_which_may_go_on(supervisor: Supervisor) -> None:
    table = Table(llm=raising(UpstreamError("n is not allowed", status=400)))
    ended = run(supervisor, "session.complete([], n=5)", table)
    assert ended.status == "agent_error"
    assert_matches(r"^agent\.py line 3, in run: session\.ModelError: n is not allowed$", ended.detail)
    assert (
        run(supervisor, "try: session.complete([], n=5)\nexcept Exception as e: assert e.status == 400", table).status
        == "ok"
    )


@pytest.mark.parametrize(
    ("answers", "detail"),
    [
        ({"act": lambda n, a: 1 / 0}, "tool look_up: ZeroDivisionError: division by zero"),
        ({"act": lambda n, a: {"a": 1}}, "tool look_up: the environment returned dict, not a text"),
        ({"say": lambda text: 5}, "user: the environment returned int"),
        ({"llm": lambda request: {"a": float("inf")}}, "cannot be sent"),
    ],
    ids=["raises", "no text", "no answer", "no JSON"],
)  # fmt: skip
def test_a_fault_of_ours_is_infra(supervisor: Supervisor, answers: dict[str, Any], detail: str) -> None:
    ended = run(supervisor, "session.call('look_up', {}); session.complete([]); session.say('x')", Table(**answers))
    assert ended.status == "infra"
    assert detail in ended.detail


BLAMES = {
    "a long name of a tool that comes back": (
        "assert 'no tool has a name of 4194200 characters' in session.call('x' * 4_194_200, {})", "ok"
    ),
    "a long name of a field that comes back": (
        "try: session.complete([], **{'x' * 4_194_184: 1})\n"
        "except Exception as e: assert len(str(e)) < 200 and str(e).startswith('x' * 90), len(str(e))", "ok"
    ),
    "a long request that comes back twice": ("session.complete(['x' * 3_000_000])", "agent_error"),
    "an answer of the environment that is too long": (
        "t = session.call('look_up', {'big': '\\1'}); assert t.endswith('... (cut: 5000000 characters)'), t[-90:]", "ok"
    ),
    "a user who answers too much": ("assert '(cut: 5000000' in session.say('big')", "ok"),
    "a source that is too large": ("x = '" + "y" * 3_000_000 + "'", "agent_error"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "status"), BLAMES.values(), ids=BLAMES.keys())
def test_nothing_that_the_agent_sends_is_called_a_fault_of_ours(supervisor: Supervisor, body: str, status: str) -> None:
    def echo(request: dict[str, Any]) -> dict[str, Any]:
        if len(request) > 1:
            raise UpstreamError(f"{max(request, key=len)} is not allowed here", status=400)
        return completion(str(request["messages"]) * 2)

    def act(name: str, arguments: dict[str, Any]) -> str:
        return arguments["big"] * 5_000_000 if "big" in arguments else f"Error: no tool {name}"

    table = Table(llm=echo, act=act, say=lambda text: "\0" * 5_000_000)
    ended = run(supervisor, body, table)
    assert (ended.status, ended.doubtful) == (status, False), ended.detail


def test_a_short_refusal_is_told_whole(supervisor: Supervisor) -> None:
    table = Table(llm=raising(UpstreamError("field " + "f" * 400, status=400)))
    body = "try: session.complete([])\nexcept Exception as e: assert len(str(e)) == 406"
    assert run(supervisor, body, table).status == "ok"


def test_a_broken_machine_raises(supervisor: Supervisor) -> None:
    with pytest.raises(StoreError, match="disk"):
        run(supervisor, "session.say('x')", Table(say=raising(StoreError("disk"))))


def test_half_an_emoji_from_the_model_does_no_harm(supervisor: Supervisor) -> None:
    body = "session.say(session.complete([])['choices'][0]['message']['content'] + '\\ud83d')"
    table = Table(llm=lambda request: completion("\ud83d!"))
    assert run(supervisor, body, table).status == "ok"
    assert table.seen[-1] == ("say", "?!?")
