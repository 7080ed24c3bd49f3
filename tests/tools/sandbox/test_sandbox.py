"""The supervisor: three ways to end, never mixed, whatever the agent does."""

from __future__ import annotations

import json
import re
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from walls import each_tier

from sigmaloop.errors import ModelUnavailable, StoreError, UpstreamError
from sigmaloop.tools.sandbox import supervisor as supervisor_module
from sigmaloop.tools.sandbox.conversation import OVER
from sigmaloop.tools.sandbox.supervisor import SandboxResult, Supervisor

TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}]


class Table:
    """Handlers that write down what arrives; answers can be replaced."""

    def __init__(self, **answers: Callable[..., Any]) -> None:
        self.seen: list[Any] = []
        self.answers = answers

    def init(self) -> dict[str, Any]:
        return {"instructions": "Be kind.", "tools": TOOLS, "opening": "Hello, é 🙂"}

    def act(self, name: str, arguments: dict[str, Any]) -> str:
        self.seen.append(("act", name, arguments))
        return str(arguments) if "act" not in self.answers else self.answers["act"](name, arguments)

    def say(self, text: str) -> str | None:
        self.seen.append(("say", text))
        return self.answers["say"](text) if "say" in self.answers else None

    def submit(self, answer: Any) -> None:
        self.seen.append(("submit", answer))

    def llm(self, request: dict[str, Any]) -> dict[str, Any]:
        self.seen.append(("llm", request))
        return self.answers["llm"](request) if "llm" in self.answers else completion("Good day.")


def completion(text: str | None, **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text, **message}}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return {
        "id": "c1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage,
    }  # fmt: skip


@pytest.fixture(scope="module", params=each_tier("none", "landlock", "bubblewrap"))
def supervisor(request: pytest.FixtureRequest) -> Iterator[Supervisor]:
    with Supervisor(step_seconds=10, rollout_seconds=20, cpu_seconds=10, max_steps=50, sandbox=request.param) as made:
        yield made


@pytest.fixture(scope="module")
def hasty() -> Iterator[Supervisor]:
    with Supervisor(step_seconds=0.3, rollout_seconds=0.6, cpu_seconds=10, max_steps=50) as made:
        yield made


def run(supervisor: Supervisor, body: str, table: Table | None = None, *, before: str = "") -> SandboxResult:
    lines = "\n".join("    " + line for line in body.strip("\n").splitlines())
    return supervisor.run(f"{before}\ndef run(session):\n{lines}\n", table or Table())


def test_an_agent_that_returns_is_ok_and_what_it_did_arrived(supervisor: Supervisor) -> None:
    table = Table(say=lambda text: "yes" if text == "Really?" else None)
    ended = run(
        supervisor,
        """
        assert session.instructions == "Be kind." and session.opening == "Hello, é 🙂"
        assert session.tools[0]["function"]["name"] == "look_up"
        assert session.call("look_up", {"id": "é", "n": [1, None]}) == "{'id': 'é', 'n': [1, None]}"
        assert session.complete([{"role": "user", "content": "a"}], tools=session.tools, seed=3)["id"] == "c1"
        assert session.say("Really?") == "yes"
        assert session.submit({"answer": 42}) is None
        assert session.say("Bye") is None
        """.replace("        ", ""),
        table,
    )
    assert (ended.status, ended.detail) == ("ok", "")
    assert [kind for kind, *_ in table.seen] == ["act", "llm", "say", "submit", "say"]
    assert table.seen[1][1] == {"messages": [{"role": "user", "content": "a"}], "tools": TOOLS, "seed": 3}


def test_after_the_end_the_agent_may_talk_but_nobody_listens(supervisor: Supervisor) -> None:
    table = Table()
    body = f"assert [session.say('a'), session.say('b'), session.call('c', {{}})] == [None, None, {OVER!r}]"
    assert run(supervisor, body, table).status == "ok"
    assert table.seen == [("say", "a")]


ENDS = {
    "an exception": ("1 / 0", r"^agent\.py line 3, in run: ZeroDivisionError: division by zero$"),
    "sys.exit(0)": ("import sys; sys.exit(0)", r"line 3, in run: it called sys\.exit\(0\)$"),
    "SystemExit without a code": ("raise SystemExit", r"sys\.exit\(None\)"),
    "os._exit(0)": ("import os; os._exit(0)", r"^its process ended with exit code 0 before run\(\) returned$"),
    "os._exit(7)": ("import os; os._exit(7)", r"exit code 7"),
    "exit from a thread": ("import os, threading as t; t.Thread(target=os._exit, args=(0,)).start(); input()", "."),
    "KeyboardInterrupt": ("raise KeyboardInterrupt('x')", r"KeyboardInterrupt: x"),
    "GeneratorExit": ("raise GeneratorExit", "GeneratorExit"),
    "a segfault": ("import ctypes; ctypes.string_at(0)", "killed by SIGSEGV"),
    "abort": ("import os; os.abort()", "killed by SIGABRT"),
    "killing itself": ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL|PermissionError"),
    "a signal without a name": ("import os; os.kill(os.getpid(), 40)", "killed by signal 40"),
    "killing its group": ("import os; os.killpg(0, 15)", "killed by SIGTERM|PermissionError"),
    "too much memory": ("x = bytearray(4 << 30)", r"line 3, in run: MemoryError"),
    "mapped memory": ("import mmap; x = mmap.mmap(-1, 4 << 30)", "Cannot allocate memory"),
    "endless recursion": ("def f(): f()\nf()", "RecursionError"),
    "reading standard input": ("input()", "EOFError"),
    "a wrong argument": ("session.say(None)", r"TypeError: say\(\) takes a text, not NoneType"),
    "an answer that is not JSON": ("session.submit({1, 2})", "FrameError: not JSON"),
    "an exception that cannot be shown": (
        "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
        r"line 5, in run: \S*E: <exception str\(\) failed>",
    ),
    "exec of another program": ("import os; os.execv('/bin/true', ['true'])", "exit code 0 before|PermissionError"),
    "closing its socket": ("import os, time; os.close(3); time.sleep(60)", "it closed its socket"),
    "closing every descriptor": ("import os; os.closerange(0, 99)", "exit code"),
    "too many steps": ("for _ in range(51): session.call('look_up', {})", "more than 50 steps"),
    "too many messages": ("while True: session.say('hello')", "more than 50 steps"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "detail"), ENDS.values(), ids=ENDS.keys())
def test_whatever_ends_an_agent_early_is_an_agent_error(supervisor: Supervisor, body: str, detail: str) -> None:
    ended = run(supervisor, body)
    assert ended.status == "agent_error"
    assert_matches(detail, ended.detail)


FILES = {
    "no Python": ("def run(session:\n", r"agent\.py line 1: SyntaxError: '\(' was never closed"),
    "nothing": ("", "AttributeError: module 'agent' has no attribute 'run'"),
    "an exception while it loads": ("x = 1\nboom\n", r"^agent\.py line 2: NameError: name 'boom' is not defined$"),
    "an exit while it loads": ("import os\nos._exit(0)\n", "exit code 0"),
    "a missing package": ("import no_such_package\n", "ModuleNotFoundError"),
    "our own package": ("import sigmaloop.settings\n", "ModuleNotFoundError"),
    "our own worker's modules": ("import sandbox\n", "ModuleNotFoundError"),
    "run without an argument": ("def run():\n    pass\n", "TypeError"),
}


@pytest.mark.parametrize(("source", "detail"), FILES.values(), ids=FILES.keys())
def test_a_file_that_is_no_agent_is_an_agent_error(supervisor: Supervisor, source: str, detail: str) -> None:
    ended = supervisor.run(source, Table())
    assert ended.status == "agent_error"
    assert_matches(detail, ended.detail)


def test_the_detail_names_the_agents_own_lines_and_what_it_printed(supervisor: Supervisor) -> None:
    helper = "import json\ndef parse(text):\n    return json.loads(text)\n"
    ended = run(supervisor, "print('look: ', 5)\nparse('{')", before=helper)
    assert ended.detail.startswith("agent.py line 7, in run > line 3, in parse: json.decoder.JSONDecodeError: ")
    assert ended.detail.endswith("; printed: look: 5")


def test_a_long_detail_is_one_short_line(supervisor: Supervisor) -> None:
    ended = run(supervisor, r"raise ValueError('\x1b[2J\n' + 'x' * 10_000_000)")
    assert len(ended.detail) <= 600
    assert ended.detail.isprintable()


UNTIDY = {
    "prints a lot": "for _ in range(2000): print('x' * 10_000)",
    "writes to descriptors 1 and 2": "import os; os.write(1, b'{}'); os.write(2, b'\\0' * 100_000)",
    "raises in __del__": "class D:\n    def __del__(self): raise ValueError\nglobal d; d = D(); D()",
    "hangs in __del__": "import time\nclass D:\n    def __del__(self): time.sleep(60)\nglobal d; d = D()",
    "raises in atexit": "import atexit; atexit.register(lambda: 1 / 0)",
    "exits in atexit": "import atexit, os; atexit.register(lambda: os._exit(3))",
    "leaves a thread running": "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()",
    "forks once": "import os, time\ntry:\n    if os.fork() == 0: time.sleep(60)\nexcept PermissionError: pass",
    "forks and the child ends": (
        "import os\ntry: pid = os.fork()\nexcept PermissionError: return\nif pid == 0: os._exit(0)\nos.waitpid(pid, 0)"
    ),
    "uses asyncio": "import asyncio; asyncio.run(asyncio.sleep(0))",
    "uses threads": (
        "from concurrent.futures import ThreadPoolExecutor as P\n"
        "with P(8) as p:\n    got = list(p.map(lambda n: session.call('look_up', {'n': n}), range(40)))\n"
        "assert got == [str({'n': n}) for n in range(40)], got"
    ),
    "makes dataclasses": ("import dataclasses\n@dataclasses.dataclass\nclass P:\n    x: 'int' = 1\nassert P() == P(1)"),
}


@pytest.mark.parametrize(("name", "body"), UNTIDY.items(), ids=UNTIDY.keys())
def test_what_is_only_untidy_is_ok(supervisor: Supervisor, name: str, body: str) -> None:
    ended = run(supervisor, body)
    assert (ended.status, ended.detail) == ("ok", ""), name
    assert ended.wall_seconds < 30, "it waited for what the agent left behind"


def test_malformed_tool_arguments_come_back_to_the_agent_as_text(supervisor: Supervisor) -> None:
    table = Table()
    body = """
for bad in ([1], 'x', None, {'a': float('nan')}, {'a': {1}}):
    assert session.call('look_up', bad).startswith('Error: '), bad
assert session.call(None, {}).startswith('Error: ')
"""
    assert run(supervisor, body, table).status == "ok"
    assert table.seen == []


DEADLINES = {
    "sleeps": ("import time; time.sleep(60)", "took too long: .*step_seconds = 0.3"),
    "loops for ever": ("while True: pass", "step_seconds = 0.3"),
    "ignores every signal": (
        "import signal\nfor n in {*range(1, 65)} - {9, 19, 32, 33}: signal.signal(n, signal.SIG_IGN)\nwhile 1: pass",
        "step_seconds = 0.3",
    ),
    "sleeps a little before every step": (
        "import time\nfor _ in range(40):\n    time.sleep(.05); session.call('look_up', {})", "rollout_seconds = 0.6",
    ),
    "sends one byte at a time": (
        "import os, time\nos.write(3, b'\\0\\0\\1\\0')\nwhile True: os.write(3, b' '); time.sleep(.05)",
        "step_seconds",
    ),
    "loops in __str__ of its exception": (
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E", "step_seconds",
    ),
    "hangs in a lock": ("import threading; k = threading.Lock(); k.acquire(); k.acquire()", "step_seconds"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "detail"), DEADLINES.values(), ids=DEADLINES.keys())
def test_an_agent_that_takes_too_long_is_stopped(hasty: Supervisor, body: str, detail: str) -> None:
    ended = run(hasty, body)
    assert ended.status == "agent_error"
    assert_matches(detail, ended.detail)
    assert ended.wall_seconds < 30, "it waited for the agent's own end"


def test_loading_for_ever_is_stopped_as_well(hasty: Supervisor) -> None:
    assert hasty.run("while True: pass", Table()).status == "agent_error"


def test_a_child_that_does_not_read_is_stopped(hasty: Supervisor) -> None:
    flood = f"for n in range(50): os.write(3, {framed({'op': 'act', 'id': 1, 'tool': 't', 'args': {}})!r})"
    ended = run(hasty, f"import os, time\n{flood}\ntime.sleep(60)", Table(act=lambda name, arguments: "x" * 1_000_000))
    assert (ended.status, ended.doubtful) == ("agent_error", False)
    assert ended.detail == "it took too long: it did not read its socket within step_seconds = 0.3"


def test_time_in_model_and_environment_is_not_the_agents() -> None:
    def slow(*_: Any) -> Any:
        time.sleep(1.2)
        return completion("x")

    with Supervisor(step_seconds=1, rollout_seconds=2, cpu_seconds=10, max_steps=50) as supervisor:
        ended = run(supervisor, "for _ in range(2): session.complete([])", Table(llm=slow))
    assert (ended.status, ended.detail) == ("ok", "")
    assert ended.wall_seconds > 2


def test_processor_time_is_limited() -> None:
    with Supervisor(step_seconds=10, rollout_seconds=20, cpu_seconds=0.5, max_steps=5) as supervisor:
        ended = run(supervisor, "while True: pass")
        assert ended.detail == "it used more than cpu_seconds = 0.5 of processor time"
        assert ended.status == "agent_error"
        ignoring = "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
        assert "processor time" in run(supervisor, ignoring).detail


def test_memory_filled_with_small_things_is_an_agent_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "MEMORY_BYTES", 150_000_000)
    with Supervisor(step_seconds=10, rollout_seconds=20, cpu_seconds=10, max_steps=5) as supervisor:
        ended = run(supervisor, "x = []\nwhile True: x.append([])")
    assert ended.status == "agent_error"
    assert "MemoryError" in ended.detail


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


def test_the_child_has_an_empty_environment_and_no_other_descriptors(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-secret")
    with Supervisor(step_seconds=5, rollout_seconds=5, cpu_seconds=5, max_steps=5, sandbox=supervisor.tier) as fresh:
        body = """
import ctypes, os, sys
assert not os.environ, dict(os.environ)
environment = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
assert not environment or environment[0] is None, environment[0]
import stat
try:
    for pid in ("self", str(os.getppid())):
        with open(f"/proc/{pid}/environ") as file:
            assert "sk-" not in file.read()
except (PermissionError, FileNotFoundError):
    assert TIER != "none"
kinds = {}
for number in range(300):
    try:
        kinds[number] = stat.S_IFMT(os.fstat(number).st_mode)
    except OSError:
        pass
assert kinds == {0: stat.S_IFCHR, 1: stat.S_IFCHR, 2: stat.S_IFCHR, 3: stat.S_IFSOCK}, kinds
assert sys.argv == ["agent.py"] and not any("site-packages" in p or "tools" in p for p in sys.path), sys.path
"""
        ended = run(fresh, body.replace("TIER", repr(fresh.tier)))
        assert (ended.status, ended.detail) == ("ok", "")


def test_nothing_survives_from_one_rollout_to_the_next(supervisor: Supervisor) -> None:
    leave = "import builtins, json; builtins.left = 1; json.left = 1; session.say('x')"
    assert run(supervisor, leave).status == "ok"
    assert (
        run(
            supervisor, "import builtins, json; assert not hasattr(builtins, 'left') and not hasattr(json, 'left')"
        ).status
        == "ok"
    )


def test_sets_and_random_numbers_repeat_themselves_in_another_zygote() -> None:
    seen = []
    for _ in range(2):
        table = Table()
        with Supervisor(step_seconds=5, rollout_seconds=5, cpu_seconds=5, max_steps=5) as supervisor:
            run(supervisor, "import random; session.submit([list({'a', 'b', 'c', 'd', 'e'}), random.random()])", table)
        seen.append(table.seen)
    assert seen[0] == seen[1] != []


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


def test_a_hundred_rollouts_at_once_do_not_mix() -> None:
    all_here = threading.Barrier(100, timeout=20)
    with Supervisor(step_seconds=20, rollout_seconds=20, cpu_seconds=5, max_steps=5) as supervisor:

        def one(number: int) -> tuple[SandboxResult, list[Any]]:
            table = Table(act=lambda name, arguments: str(all_here.wait() >= 0 and number))
            body = f"assert session.call('look_up', {{}}) == '{number}'; session.say('{number}')"
            return run(supervisor, body, table), table.seen

        with ThreadPoolExecutor(100) as pool:
            results = list(pool.map(one, range(100)))
    assert {(ended.status, ended.detail) for ended, _ in results} == {("ok", "")}
    assert [seen[-1] for _, seen in results] == [("say", str(number)) for number in range(100)]


def test_the_shipped_agent_runs(supervisor: Supervisor) -> None:
    from sigmaloop import target_agent

    source = (Path(str(target_agent.__file__)).parent / "agent.py").read_text()
    call = {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": '{"a": 1}'}}
    script = iter([completion(None, tool_calls=[call]), completion("Done.")])
    table = Table(llm=lambda request: next(script))
    ended = supervisor.run(source, table)
    assert (ended.status, ended.detail) == ("ok", "")
    assert [kind for kind, *_ in table.seen] == ["llm", "act", "llm", "say"]


def framed(message: dict[str, Any]) -> bytes:
    payload = json.dumps(message).encode()
    return struct.pack(">I", len(payload)) + payload


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any) -> Any:
        raise error

    return fail


def assert_matches(pattern: str, text: str) -> None:
    assert re.search(pattern, text), f"{text!r} does not match {pattern!r}"
