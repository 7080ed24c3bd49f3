"""How a rollout ended otherwise than by its run() returning."""

from __future__ import annotations

import signal

from sigmaloop.records import RolloutStatus
from sigmaloop.tools.sandbox.child.frames import Json
from sigmaloop.tools.sandbox.child.wall import limits

_FROM_OUTSIDE = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGTERM")
"""Signals that people, the kernel's out-of-memory killer and other programs send. Inside the sandbox no process can
send them to itself."""


class EndedError(Exception):
    """The conversation is over: an end of the agent's doing, or a fault of ours."""

    def __init__(self, status: RolloutStatus, detail: str, *, doubtful: bool = False) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.doubtful = doubtful


def bad_frame(what: str) -> EndedError:
    return EndedError("agent_error", f"bad frame: {what}")


def too_many_threads(number: int) -> EndedError:
    return EndedError("agent_error", f"it had {number} threads; {limits.THREADS} are allowed")


def end_of(report: Json, *, cpu_seconds: float) -> EndedError:
    """What the zygote's report on a child's end means. `cpu_seconds`: how much processor time it had."""
    if "error" in report:
        return EndedError("infra", report["error"])
    if "threads" in report:
        return too_many_threads(report["threads"])
    if "full" in report:
        return EndedError("agent_error", f"it filled its folder: {report['files']} files, {report['full']} bytes")
    if report["cpu"] >= cpu_seconds:
        return EndedError("agent_error", f"it used more than cpu_seconds = {cpu_seconds:g} of processor time")
    code = report["exit"]
    if code < 0:
        name = _signal_name(-code)
        return EndedError("agent_error", f"its process was killed by {name}", doubtful=name in _FROM_OUTSIDE)
    return EndedError("agent_error", f"its process ended with exit code {code} before run() returned")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most of the real-time signals have none
        return f"signal {number}"
