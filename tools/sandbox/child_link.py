"""The supervisor's end of a child's socket: frames in and out, each within the time that the child has for it."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

from sigmaloop.tools.sandbox import fast_frames
from sigmaloop.tools.sandbox.child import frames
from sigmaloop.tools.sandbox.child.frames import Json
from sigmaloop.tools.sandbox.child.wall import limits
from sigmaloop.tools.sandbox.fair_clock import CLOSE, PATIENCE, FairClock, look, state, threads
from sigmaloop.tools.sandbox.rollout_end import EndedError, bad_frame, end_of, too_many_threads
from sigmaloop.tools.sandbox.tiers.tiers import Tier
from sigmaloop.tools.sandbox.zygote import Child

_ECHO_BYTES = frames.MAX_BYTES // 8
"""A request of so many bytes is the reason for an answer that is too large."""
_LAST_WORDS_SECONDS, _ZYGOTE_SECONDS = 2.0, 20.0
"""For the zygote to say how a child ended: of one that lives, and of one that is gone."""
_SETUP_SECONDS = 60.0
"""For the child to close its sandbox, on a machine that is busy with other things."""

T = TypeVar("T")


class TimeLimits(NamedTuple):
    """Seconds that a child has."""

    step: float
    """Of its own between two frames."""
    rollout: float
    """The sum of that."""
    cpu: float
    """Of processor time."""


class ChildLink:
    """Frames to and from one child. Whatever ends the conversation is raised as EndedError."""

    def __init__(self, child: Child, seconds: TimeLimits, tier: Tier) -> None:
        self._child = child
        self._seconds = seconds
        self._tier = tier
        self._reader = frames.Reader(fast_frames.decode)
        self._agent_seconds = 0.0
        self._pid: int | None = None
        """The child's process id on this side, once it is known."""

    @property
    def last_bytes(self) -> int:
        """Size of the frame that was received last."""
        return self._reader.last

    def await_sandbox(self) -> None:
        """Returns when the child says that its sandbox is closed; until then it runs our code alone."""
        self._child.channel.settimeout(_SETUP_SECONDS)
        while (frame := self._reader.pop()) is None:
            try:
                data = self._first_words()
            except OSError as error:
                raise EndedError("infra", f"the sandbox was not set up: {error}") from None
            if not data:
                raise EndedError("infra", f"the sandbox was not set up: {self._gone().detail}")
            self._reader.feed(data)
        if frame != {"op": "sandboxed", "tier": self._tier}:
            raise EndedError("infra", f"the sandbox was not set up: {frame.get('error', frame)}")

    def send(self, message: Json) -> None:
        """Deliver a message; the time that the child takes to read it is its own."""
        try:
            data = memoryview(frames.encode(message))
        except frames.FrameError as error:
            if self._reader.last > _ECHO_BYTES:
                echo = f"its request of {self._reader.last} bytes has an answer that cannot be sent"
                raise EndedError("agent_error", f"{echo}: {error}") from None
            raise EndedError("infra", f"what the environment or the model returned cannot be sent: {error}") from error
        clock = self._clock()
        while data:
            sent = self._in_time(clock, partial(self._child.channel.send, data), "it did not read its socket")
            if not sent:
                raise self._gone()
            data = data[sent:]
        self._agent_seconds += clock.charged

    def receive(self) -> Json:
        """The child's next frame."""
        clock = self._clock()
        while True:
            try:
                frame = self._reader.pop()
            except frames.FrameError as error:
                raise bad_frame(str(error)) from None
            if frame is not None:
                self._agent_seconds += clock.charged
                if self._tier == "bubblewrap" and self._pid:  # its zygote sees no process, and cannot count
                    self._count_threads(threads(self._pid))
                return frame
            data = self._in_time(clock, lambda: self._child.channel.recv(65536), "no call and no message")
            if not data:
                raise self._gone()
            self._reader.feed(data)

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

    def _clock(self) -> FairClock:
        pid = self._pid
        return FairClock((lambda: look(pid)) if pid else (lambda: None))

    def _in_time(self, clock: FairClock, transfer: Callable[[], T], missed: str) -> T | None:
        """What a transfer over the child's socket gives, when it can be made; None when the socket is closed.

        Raises EndedError when the child's time is up. Our own pauses count no more than the slice they fall into.
        """
        allowed = min(self._seconds.step, self._seconds.rollout - self._agent_seconds)
        while True:
            # 0 does not wait, but still takes what came while this thread was not running.
            wait = clock.next_slice(allowed)
            self._child.channel.settimeout(wait)
            started = time.monotonic()
            try:
                done = transfer()
            except (TimeoutError, BlockingIOError):
                if wait == 0:
                    raise self._too_slow(clock, allowed, missed) from None
                clock.count(min(time.monotonic() - started, wait))
                self._count_threads(clock.threads)
                continue
            except OSError:
                return None
            clock.passed += min(time.monotonic() - started, wait)
            return done

    def _too_slow(self, clock: FairClock, allowed: float, missed: str) -> EndedError:
        whole = allowed >= self._seconds.step
        limit = f"step_seconds = {self._seconds.step:g}" if whole else f"rollout_seconds = {self._seconds.rollout:g}"
        if clock.stopped:
            return EndedError("agent_error", f"its process was stopped: {missed} within {limit}", doubtful=True)
        if clock.charged < allowed - CLOSE:
            return EndedError(
                "agent_error",
                f"it waited for a processor or a disk: {missed} within {PATIENCE} times {limit}; lower concurrency",
                doubtful=True,
            )
        return EndedError("agent_error", f"it took too long: {missed} within {limit}")

    def _gone(self) -> EndedError:
        """The child closed its socket: ask the zygote how it ended."""
        death_pipe, reader = self._child.death_pipe, frames.Reader()
        death_pipe.settimeout(_LAST_WORDS_SECONDS)
        started = time.monotonic()
        while (report := reader.pop()) is None:
            try:
                data = death_pipe.recv(4096)
            except TimeoutError:
                if self._pid is None or state(self._pid) not in (None, "Z", "X"):
                    return EndedError("agent_error", "it closed its socket")
                if time.monotonic() - started < _ZYGOTE_SECONDS:
                    continue
                return EndedError("agent_error", "its process is gone, nobody says how", doubtful=True)
            except OSError:
                data = b""
            if not data:
                return EndedError("infra", "the sandbox's zygote died")
            reader.feed(data)
        return end_of(report, cpu_seconds=self._seconds.cpu)

    def _count_threads(self, number: int) -> None:
        if number > limits.THREADS:
            raise too_many_threads(number)
