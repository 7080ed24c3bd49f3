"""Runs an agent's source text in a child process and answers its frames: tools, user and model live here.

The supervisor never believes the child: it counts the steps, keeps the clocks, and decides how the rollout
ended. The child has three ways to end, never mixed: `ok` (run() returned), `agent_error` (anything that the
agent did), `infra` (a fault of ours, of the environment or of the model's endpoint).
"""

from __future__ import annotations

import re
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

from sigmaloop.errors import SandboxError, SigmaLoopError, UpstreamError
from sigmaloop.records import Record, RolloutStatus
from sigmaloop.tools.sandbox import fast_frames
from sigmaloop.tools.sandbox.child import frames
from sigmaloop.tools.sandbox.child.wall import limits
from sigmaloop.tools.sandbox.fair_clock import CLOSE, PATIENCE, FairClock, look, state, threads
from sigmaloop.tools.sandbox.readable_paths import readable_paths
from sigmaloop.tools.sandbox.tiers import tiers
from sigmaloop.tools.sandbox.tiers.tiers import Sandbox, Tier
from sigmaloop.tools.sandbox.zygote import Child, Zygote

MEMORY_BYTES = 1_500_000_000
"""Address space of one child."""
STEP_BYTES = 4 * 1024 * 1024
"""Most bytes of all actions and messages of one rollout together: they are kept in its trace."""
MODEL_BYTES = 256 * 1024 * 1024
"""Most bytes of all its model requests together."""
TEXT_CHARACTERS = 500_000
"""Most characters of what a tool or the user answers: more is cut, and so fits into a frame however it is written."""
NAME_CHARACTERS = 200
"""Longest name of a tool that is looked for."""
QUOTED_CHARACTERS = 100
"""Most characters of a long refusal that the child is shown: it may repeat what the child sent."""
OVER = "Error: the conversation is over"
_REFUSAL_CHARACTERS = 500
_ECHO_BYTES = frames.MAX_BYTES // 8
"""A request of so many bytes is the reason for an answer that is too large."""
_LAST_WORDS_SECONDS, _ZYGOTE_SECONDS = 2.0, 20.0
"""For the zygote to say how a child ended: of one that lives, and of one that is gone."""
_WALL_SECONDS = 60.0
"""For the child to raise its wall, on a machine that is busy with other things."""
_FROM_OUTSIDE = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGTERM")
"""Signals that people, the kernel's out-of-memory killer and other programs send. Behind a wall no process can
send them to itself."""
_CLIENTS = {
    "langchain": re.compile(r"\blang(chain|graph)|\.chat_model\("),
    "openai": re.compile(r"\b(import|from)\s+openai\b|\.openai\("),
}
"""What an agent's source looks like that will load a client: only decides which zygote is the fastest."""

T = TypeVar("T")


class Handlers(Protocol):
    """The parent's side of one rollout. What they raise is an infra fault, never the agent's."""

    def init(self) -> Mapping[str, Any]:
        """`instructions`, `tools` and `opening`: always these three, no id, split or trial."""
        ...

    def act(self, name: str, arguments: dict[str, Any]) -> str: ...
    def say(self, text: str) -> str | None: ...
    def submit(self, answer: Any) -> None: ...
    def llm(self, request: dict[str, Any]) -> dict[str, Any]:
        """A chat completion. Raises UpstreamError: 402 (calls used up) ends the agent, of another 4xx that
        its request deserved the agent hears and may go on, everything else is an infra fault.
        """
        ...


class SandboxResult(Record):
    """How one run of an agent ended; what it is worth is the scorer's business."""

    status: RolloutStatus
    detail: str = ""
    """One line; empty for ok."""
    doubtful: bool = False
    """An agent_error that something outside may have caused, such as a kill. It is the agent's if it comes again."""
    printed: str = ""
    """The end of what an agent that ended ok wrote to standard output, which nobody else sees; one line."""
    wall_seconds: float
    tier: str = "none"
    """The wall that it ran behind: bubblewrap, landlock, seatbelt or none."""


class Supervisor:
    """Runs agents behind the wall. `run` may be called from many threads at once."""

    def __init__(
        self,
        *,
        step_seconds: float,
        rollout_seconds: float,
        cpu_seconds: float,
        max_steps: int,
        sandbox: Sandbox = "auto",
        hide: Sequence[str] = (),
    ) -> None:
        """`step_seconds`: the agent's own time between two frames; `rollout_seconds`: the sum of it over the
        rollout. Time in the model and the environment counts for neither, nor does the wait for a processor:
        how fast an endpoint or how busy the machine is decides nothing. `cpu_seconds`: processor time of the
        child. `max_steps`: act, say and submit frames. `sandbox`: the wall; auto takes the
        best that works here. `hide`: installed modules that agents may not read, besides our own.
        """
        self._step_seconds = step_seconds
        self._rollout_seconds = rollout_seconds
        self._cpu_seconds = cpu_seconds
        self._max_steps = max_steps
        self._asked = sandbox
        self._hide = tuple(hide)
        self._lock = threading.Lock()
        self._tier: Tier | None = None
        self._passed_over: list[str] = []
        self._zygotes: dict[str, Zygote] = {}

    @property
    def tier(self) -> Tier:
        """The wall that was raised. Raises SandboxError where none can be."""
        self.start()
        assert self._tier is not None
        return self._tier

    @property
    def passed_over(self) -> tuple[str, ...]:
        """Better tiers that were tried or looked at, and why they are not used."""
        return tuple(self._passed_over)

    def __enter__(self) -> Supervisor:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Choose the wall and start the zygote now rather than with the first run. Raises SandboxError."""
        with self._lock:
            if self._tier is None:
                self._tier = self._settle()
            else:
                self._zygote("").start()

    def stop(self) -> None:
        """End every child."""
        with self._lock:
            for zygote in self._zygotes.values():
                zygote.stop()

    def run(self, source: str, handlers: Handlers) -> SandboxResult:
        """Run the agent to its end. Raises SandboxError when no child can be had at all."""
        started = time.monotonic()
        if self._tier is None:
            self.start()
        with self._lock:
            zygote = self._zygote(next((name for name, signs in _CLIENTS.items() if signs.search(source)), ""))
        child = zygote.fork()
        with child.channel, child.death_pipe:  # closing the lifeline kills whatever is left of the child
            end, printed = self._converse(child, source, handlers)
        if end is not None and (end.doubtful or end.status == "infra") and state(child.zygote) in ("T", "t"):
            zygote.renew(child.zygote)  # it was stopped, and would keep everybody waiting
        return SandboxResult(
            status=end.status if end else "ok",
            detail=_line(end.detail) if end else "",
            doubtful=end.doubtful if end else False,
            printed=_line(printed),
            wall_seconds=time.monotonic() - started,
            tier=self.tier,
        )

    def _settle(self) -> Tier:
        """The first tier whose zygote starts; what was asked for by name has no other."""
        self._passed_over = []
        found = readable_paths(self._hide)
        for tier, usable, why in tiers.order(self._asked, executable=sys.executable, roots=found.roots):
            if usable:
                zygote = self._make(tier, "")
                try:
                    zygote.start()
                except SandboxError as error:
                    zygote.stop()
                    why = str(error)
                    if self._asked == tier == "none":
                        raise
                else:
                    self._zygotes = {"": zygote}
                    return tier
            self._passed_over.append(f"{tier}: {why}")
        raise SandboxError(f"no sandbox can be raised ({'; '.join(self._passed_over)}); {tiers.FIX}")

    def _zygote(self, client: str) -> Zygote:
        """The zygote that has a client loaded; made when it is first wanted."""
        assert self._tier is not None
        if client not in self._zygotes:
            self._zygotes[client] = self._make(self._tier, client)
        return self._zygotes[client]

    def _make(self, tier: Tier, client: str) -> Zygote:
        return Zygote(
            tier,
            readable_paths(self._hide),
            cpu_seconds=self._cpu_seconds,
            memory_bytes=MEMORY_BYTES,
            preload=(client,) if client else (),
        )

    def _converse(self, child: Child, source: str, handlers: Handlers) -> tuple[_EndedError | None, str]:
        """How it ended otherwise than by run() returning, and what it printed."""
        conversation = _Conversation(
            child,
            handlers,
            step_seconds=self._step_seconds,
            rollout_seconds=self._rollout_seconds,
            cpu_seconds=self._cpu_seconds,
            max_steps=self._max_steps,
            tier=self._tier or "none",
        )
        try:
            return None, conversation.hold(source)
        except _EndedError as end:
            return end, ""


class _EndedError(Exception):
    """The conversation is finished, otherwise than by run() returning."""

    def __init__(self, status: RolloutStatus, detail: str, *, doubtful: bool = False) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.doubtful = doubtful


class _Conversation:
    """One rollout, served in the calling thread."""

    def __init__(
        self,
        child: Child,
        handlers: Handlers,
        *,
        step_seconds: float,
        rollout_seconds: float,
        cpu_seconds: float,
        max_steps: int,
        tier: Tier,
    ) -> None:
        self._tier = tier
        self._child = child
        self._handlers = handlers
        self._step_seconds = step_seconds
        self._rollout_seconds = rollout_seconds
        self._cpu_seconds = cpu_seconds
        self._max_steps = max_steps
        self._reader = frames.Reader(fast_frames.decode)
        self._agent_seconds = 0.0
        self._steps = 0
        self._bytes = {"step": 0, "llm": 0}
        self._over = False
        self._pid: int | None = None
        """The child's process id on this side, once it is known."""

    def hold(self, source: str) -> str:
        """What it printed, when the agent's run() has returned; raises _EndedError for every other end."""
        self._await_wall()
        init = _ours("opening the episode", self._handlers.init)
        if len(source.encode("utf-8", "replace")) > frames.MAX_BYTES // 2:
            raise _EndedError("agent_error", f"agent.py is larger than {frames.MAX_BYTES // 2} bytes")
        self._send({"op": "init", "source": source, **init})
        while True:
            frame = self._next()
            match frame:
                case {"op": "done", "printed": str(printed), **rest} if not rest:
                    return printed
                case {"op": "failed", "error": str(error), **rest} if not rest:
                    raise _EndedError("agent_error", error)
                case {"op": "llm", "id": int(number), "request": dict(request), **rest} if not rest:
                    self._count_bytes("llm", MODEL_BYTES)
                    self._send({"id": number, **self._llm(request)})
                case {"op": "act" | "say" | "submit", "id": int(number), **rest}:
                    self._count_bytes("step", STEP_BYTES)
                    self._count_step()
                    self._send({"id": number, "result": self._step(frame["op"], rest)})
                case _:
                    raise _bad_frame(f"{str(frame)[:100]}")

    def _await_wall(self) -> None:
        """No source is sent before the child says that its wall stands; until then it runs our code alone."""
        self._child.channel.settimeout(_WALL_SECONDS)
        while (frame := self._reader.pop()) is None:
            try:
                data = self._first_words()
            except OSError as error:
                raise _EndedError("infra", f"the wall was not raised: {error}") from None
            if not data:
                raise _EndedError("infra", f"the wall was not raised: {self._gone().detail}")
            self._reader.feed(data)
        if frame != {"op": "walled", "tier": self._tier}:
            raise _EndedError("infra", f"the wall was not raised: {frame.get('error', frame)}")

    def _first_words(self) -> bytes:
        """Bytes from the child before any line of the agent's; the kernel says with them which process it is."""
        if not hasattr(socket, "SCM_CREDENTIALS"):
            return self._child.channel.recv(4096)
        size = struct.calcsize("=iII")
        data, notes, _, _ = self._child.channel.recvmsg(4096, socket.CMSG_SPACE(size))
        for level, kind, note in notes:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                pid, _, _ = struct.unpack("=iII", note)
                self._pid = pid or None
        return data

    def _step(self, op: str, fields: dict[str, Any]) -> str | None:
        match op, fields:
            case "act", {"tool": str(tool), "args": dict(arguments), **rest} if not rest:
                if self._over:
                    return OVER
                if len(tool) > NAME_CHARACTERS:
                    return f"Error: no tool has a name of {len(tool)} characters"
                result = _ours(f"tool {tool[:80]}", lambda: self._handlers.act(tool, arguments))
                return _text(result, f"tool {tool[:80]}")
            case "say", {"text": str(text), **rest} if not rest:
                if self._over:
                    return None
                answer = _ours("user", lambda: self._handlers.say(text))
                self._over = answer is None
                return None if answer is None else _text(answer, "user")
            case "submit", {"answer": answer, **rest} if not rest:
                _ours("submit", lambda: self._handlers.submit(answer))
                return None
        raise _bad_frame(f"{op} with {str(fields)[:100]}")

    def _llm(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"result": _ours("model call", lambda: self._handlers.llm(request))}
        except UpstreamError as error:
            if error.status == 402:
                raise _EndedError("agent_error", f"refused by the model gateway: {error}") from error
            if 400 <= error.status < 500 and error.status not in (401, 429):
                return {"error": _brief(str(error)), "status": error.status}
            raise _EndedError("infra", f"model call: {error}") from error

    def _count_step(self) -> None:
        self._steps += 1
        if self._steps > self._max_steps:
            raise _EndedError("agent_error", f"more than {self._max_steps} steps (tool calls and messages)")

    def _count_threads(self, number: int) -> None:
        if number > limits.THREADS:
            raise _EndedError("agent_error", f"it had {number} threads; {limits.THREADS} are allowed")

    def _count_bytes(self, kind: str, most: int) -> None:
        self._bytes[kind] += self._reader.last
        if self._bytes[kind] > most:
            what = "model requests" if kind == "llm" else "tool calls and messages"
            raise _EndedError("agent_error", f"more than {most} bytes of {what}")

    def _send(self, message: dict[str, Any]) -> None:
        try:
            data = memoryview(frames.encode(message))
        except frames.FrameError as error:
            if self._reader.last > _ECHO_BYTES:
                asked = f"its request of {self._reader.last} bytes has an answer that cannot be sent"
                raise _EndedError("agent_error", f"{asked}: {error}") from None
            raise _EndedError("infra", f"what the environment or the model returned cannot be sent: {error}") from error
        clock = self._clock()
        while data:
            sent = self._in_time(clock, partial(self._child.channel.send, data), "it did not read its socket")
            if not sent:
                raise self._gone()
            data = data[sent:]

    def _next(self) -> dict[str, Any]:
        """The child's next frame; its clock runs only in here."""
        clock = self._clock()
        while True:
            try:
                frame = self._reader.pop()
            except frames.FrameError as error:
                raise _bad_frame(str(error)) from None
            if frame is not None:
                self._agent_seconds += clock.charged
                if self._tier == "bubblewrap" and self._pid:  # its zygote sees no process, and cannot count
                    self._count_threads(threads(self._pid))
                return frame
            data = self._in_time(clock, lambda: self._child.channel.recv(65536), "no call and no message")
            if not data:
                raise self._gone()
            self._reader.feed(data)

    def _clock(self) -> FairClock:
        pid = self._pid
        return FairClock((lambda: look(pid)) if pid else (lambda: None))

    def _in_time(self, clock: FairClock, transfer: Callable[[], T], missed: str) -> T | None:
        """What a transfer over the child's socket gives, when it can be made; None when the socket is closed.

        Raises _EndedError when the child's time is up. Our own pauses count no more than the slice they fall into.
        """
        allowed = min(self._step_seconds, self._rollout_seconds - self._agent_seconds)
        while True:
            # 0 does not wait, but still takes what came while this thread was not running.
            wait = clock.next_slice(allowed)
            self._child.channel.settimeout(wait)
            began = time.monotonic()
            try:
                done = transfer()
            except (TimeoutError, BlockingIOError):
                if wait == 0:
                    raise self._too_slow(clock, allowed, missed) from None
                clock.count(min(time.monotonic() - began, wait))
                self._count_threads(clock.threads)
                continue
            except OSError:
                return None
            clock.passed += min(time.monotonic() - began, wait)
            return done

    def _too_slow(self, clock: FairClock, allowed: float, missed: str) -> _EndedError:
        whole = allowed >= self._step_seconds
        limit = f"step_seconds = {self._step_seconds:g}" if whole else f"rollout_seconds = {self._rollout_seconds:g}"
        if clock.stopped:
            return _EndedError("agent_error", f"its process was stopped: {missed} within {limit}", doubtful=True)
        if clock.charged < allowed - CLOSE:
            return _EndedError(
                "agent_error",
                f"it waited for a processor or a disk: {missed} within {PATIENCE} times {limit}; lower concurrency",
                doubtful=True,
            )
        return _EndedError("agent_error", f"it took too long: {missed} within {limit}")

    def _gone(self) -> _EndedError:
        """The child closed its socket: ask the zygote how it ended."""
        death_pipe, reader = self._child.death_pipe, frames.Reader()
        death_pipe.settimeout(_LAST_WORDS_SECONDS)
        asked = time.monotonic()
        while (ended := reader.pop()) is None:
            try:
                data = death_pipe.recv(4096)
            except TimeoutError:
                if self._pid is None or state(self._pid) not in (None, "Z", "X"):
                    return _EndedError("agent_error", "it closed its socket")
                if time.monotonic() - asked < _ZYGOTE_SECONDS:
                    continue
                return _EndedError("agent_error", "its process is gone, nobody says how", doubtful=True)
            except OSError:
                data = b""
            if not data:
                return _EndedError("infra", "the sandbox's zygote died")
            reader.feed(data)
        return self._said(ended)

    def _said(self, ended: dict[str, Any]) -> _EndedError:
        """What the zygote said of the child's end."""
        if "error" in ended:
            return _EndedError("infra", ended["error"])
        if "threads" in ended:
            return _EndedError("agent_error", f"it had {ended['threads']} threads; {limits.THREADS} are allowed")
        if "full" in ended:
            return _EndedError("agent_error", f"it filled its folder: {ended['files']} files, {ended['full']} bytes")
        if ended["cpu"] >= self._cpu_seconds:
            return _EndedError(
                "agent_error", f"it used more than cpu_seconds = {self._cpu_seconds:g} of processor time"
            )
        code = ended["exit"]
        if code < 0:
            name = _signal_name(-code)
            return _EndedError("agent_error", f"its process was killed by {name}", doubtful=name in _FROM_OUTSIDE)
        return _EndedError("agent_error", f"its process ended with exit code {code} before run() returned")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most of the real-time signals have none
        return f"signal {number}"


def _brief(refusal: str) -> str:
    """A refusal for the child: whole if it is short, else no more of it than may be a quotation."""
    if len(refusal) <= _REFUSAL_CHARACTERS:
        return refusal
    return f"{refusal[:QUOTED_CHARACTERS]}... ({len(refusal)} characters)"


def _line(text: str) -> str:
    """Safe to show: printable, on one line, 600 characters at most."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:600]


def _ours(what: str, call: Callable[[], T]) -> T:
    """Call into the environment, the user or the model; a fault in there is ours."""
    try:
        return call()
    except UpstreamError as error:
        if what == "model call":
            raise
        raise _EndedError("infra", f"{what}: {error}") from error
    except SigmaLoopError:
        raise
    except Exception as error:  # the boundary of the environment: a benchmark may raise anything
        raise _EndedError("infra", f"{what}: {type(error).__name__}: {error}") from error


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise _EndedError("infra", f"{what}: the environment returned {type(value).__name__}, not a text")
    if len(value) > TEXT_CHARACTERS:
        return f"{value[:TEXT_CHARACTERS]}... (cut: {len(value)} characters)"
    return value


def _bad_frame(what: str) -> _EndedError:
    return _EndedError("agent_error", f"bad frame: {what}")
