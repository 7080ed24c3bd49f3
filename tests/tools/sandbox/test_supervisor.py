"""The supervisor: three ways to end, never mixed, whatever the agent does."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sandboxes import TOOLS, Table, assert_matches, completion, run

from sigmaloop.tools.sandbox.supervisor import SandboxResult, Supervisor


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
