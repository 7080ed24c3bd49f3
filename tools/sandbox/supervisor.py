"""Runs an agent's source text in a child process and answers its frames: tools, user and model live here.

The supervisor never believes the child: it counts the steps, keeps the clocks, and decides how the rollout
ended. The child has three ways to end, never mixed: `ok` (run() returned), `agent_error` (anything that the
agent did), `infra` (a fault of ours, of the environment or of the model's endpoint).
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Sequence

from sigmaloop.errors import SandboxError
from sigmaloop.records import Record, RolloutStatus
from sigmaloop.tools.sandbox.agent_package import AgentPackage
from sigmaloop.tools.sandbox.child_link import ChildLink, TimeLimits
from sigmaloop.tools.sandbox.conversation import Conversation, Handlers
from sigmaloop.tools.sandbox.fair_clock import state
from sigmaloop.tools.sandbox.readable_paths import ReadablePaths, readable_paths
from sigmaloop.tools.sandbox.rollout_end import EndedError
from sigmaloop.tools.sandbox.tiers import tiers
from sigmaloop.tools.sandbox.tiers.tiers import Sandbox, Tier
from sigmaloop.tools.sandbox.zygote import Child, Zygote

MEMORY_BYTES = 1_500_000_000
"""Address space of one child."""
_CLIENTS = {
    "langchain": re.compile(r"\blang(chain|graph)|\.chat_model\("),
    "openai": re.compile(r"\b(import|from)\s+openai\b|\.openai\("),
}
"""What an agent's source looks like that will load a client: only decides which zygote is the fastest."""


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
    """The sandbox that it ran in: bubblewrap, landlock, seatbelt or none."""


class Supervisor:
    """Runs agents inside the sandbox. `run` may be called from many threads at once."""

    def __init__(
        self,
        *,
        step_seconds: float,
        rollout_seconds: float,
        cpu_seconds: float,
        max_steps: int,
        sandbox: Sandbox = "auto",
        hide: Sequence[str] = (),
        package: AgentPackage | None = None,
    ) -> None:
        """`step_seconds`: the agent's own time between two frames; `rollout_seconds`: the sum of it over the
        rollout. Time in the model and the environment counts for neither, nor does the wait for a processor:
        how fast an endpoint or how busy the machine is decides nothing. `cpu_seconds`: processor time of the
        child. `max_steps`: act, say and submit frames. `sandbox`: its kind; auto takes the
        best that works here. `hide`: installed modules that agents may not read, besides our own.
        `package`: what every agent consists of beside its source.
        """
        self._seconds = TimeLimits(step_seconds, rollout_seconds, cpu_seconds)
        self._max_steps = max_steps
        self._sandbox = sandbox
        self._hide = tuple(hide)
        self.package = package
        self._lock = threading.Lock()
        self._tier: Tier | None = None
        self._passed_over: list[str] = []
        self._zygotes: dict[str, Zygote] = {}

    @property
    def tier(self) -> Tier:
        """The kind of sandbox in use. Raises SandboxError where none works."""
        self.start()
        assert self._tier is not None
        return self._tier

    @property
    def gaps(self) -> tuple[str, ...]:
        """What this sandbox does not stop on this machine, though the threat model would have it stopped."""
        return tiers.gaps(self.tier, bounded=self._zygotes[""].bounded, roots=self._readable().roots)

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
        """Choose the sandbox and start the zygote now rather than with the first run. Raises SandboxError."""
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
            zygote = self._zygote(self._client(source))
        child = zygote.fork()
        with child.channel, child.death_pipe:  # closing the death pipe kills whatever is left of the child
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
        readable = self._readable()
        for tier, usable, why in tiers.order(self._sandbox, executable=sys.executable, roots=readable.roots):
            if usable:
                zygote = self._make(tier, "")
                try:
                    zygote.start()
                except SandboxError as error:
                    zygote.stop()
                    why = str(error)
                    if self._sandbox == tier == "none":
                        raise
                else:
                    self._zygotes = {"": zygote}
                    return tier
            self._passed_over.append(f"{tier}: {why}")
        raise SandboxError(f"no sandbox works here ({'; '.join(self._passed_over)}); {tiers.FIX}")

    def _readable(self) -> ReadablePaths:
        found = readable_paths(self._hide)
        return found._replace(roots=(*found.roots, *(self.package.folders if self.package else ())))

    def _client(self, source: str) -> str:
        """The client that an agent will load, as far as one can see."""
        text = source + (self.package.program_text if self.package else "")
        return next((name for name, signs in _CLIENTS.items() if signs.search(text)), "")

    def _zygote(self, client: str) -> Zygote:
        """The zygote that has a client loaded; made when it is first wanted."""
        assert self._tier is not None
        if client not in self._zygotes:
            self._zygotes[client] = self._make(self._tier, client)
        return self._zygotes[client]

    def _make(self, tier: Tier, client: str) -> Zygote:
        return Zygote(
            tier,
            self._readable(),
            cpu_seconds=self._seconds.cpu,
            memory_bytes=MEMORY_BYTES,
            agent=self.package.files if self.package else None,
            preload=(client,) if client else (),
        )

    def _converse(self, child: Child, source: str, handlers: Handlers) -> tuple[EndedError | None, str]:
        """How it ended otherwise than by run() returning, and what it printed."""
        link = ChildLink(child, self._seconds, self._tier or "none")
        try:
            return None, Conversation(link, handlers, max_steps=self._max_steps).hold(source)
        except EndedError as end:
            return end, ""


def _line(text: str) -> str:
    """Safe to show: printable, on one line, 600 characters at most."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:600]
