"""What a person sees while the loop works: lines as attempts end, and four fixed lines under them.

Without a terminal (nohup, CI) there are the lines alone, with a heartbeat every five minutes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from sigmaloop.graph import events
from sigmaloop.graph.pulse import Heartbeat
from sigmaloop.report.headline import doing
from sigmaloop.report.words import amount, cut, duration
from sigmaloop.settings import Settings

BEAT_SECONDS = 300.0
BAR = 24


class Progress:
    """Shows events as they come."""

    def __init__(
        self,
        settings: Settings,
        *,
        quiet: bool,
        beat: Callable[[], Heartbeat | None] = lambda: None,
        done: int = 0,
        console: Console | None = None,
    ) -> None:
        """`beat`: the run's newest sign of life. `done`: attempts that ended before."""
        self._quiet = quiet
        self._settings = settings
        self._budget = min(settings.max_attempts, settings.batches * settings.attempts)
        self._console = console or Console(stderr=True, highlight=False)
        self._beat = beat
        self._batch, self._ended, self._before, self._kept, self._since = 0, done, done, 0, 0
        self._last_kept, self._now, self._tokens = "", Heartbeat(), 0
        self._began = time.monotonic()
        self._over = threading.Event()
        self._live = None
        if self._console.is_terminal and not quiet:
            self._live = Live(console=self._console, transient=True, refresh_per_second=2, get_renderable=self._fixed)

    def __enter__(self) -> Progress:
        if self._live:
            self._live.start()
        elif not self._quiet:
            threading.Thread(target=self._beating, name="heartbeat", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._live:
            self._live.stop()

    def show(self, event: events.Event) -> None:
        """Take in one event; print a line when it deserves one."""
        self._follow(event)
        line = describe(event)
        if line and not self._quiet:
            self._console.print(line, soft_wrap=True)

    def heartbeat(self) -> str:
        """batch 7/18, attempt 32/96, 3 kept, 104 M tokens."""
        now = time.strftime("%H:%M")
        return f"{now} {self.place}, {self._kept} kept, {amount(self._tokens)} tokens"

    @property
    def place(self) -> str:
        return f"batch {self._batch}/{self._settings.batches}, attempt {self._ended}/{self._budget}"

    def lines(self) -> tuple[str, str, str, str]:
        """The four fixed lines."""
        share = self._ended / max(1, self._budget)
        bar = "█" * round(BAR * share) + "░" * (BAR - round(BAR * share))
        spent = time.monotonic() - self._began
        limit = self._settings.max_run_tokens
        budget = f"   budget {amount(limit)}" if limit else ""
        last = f"last keep {self._last_kept}, {self._since} attempts ago" if self._last_kept else "nothing kept yet"
        return (
            f" {self.place.replace(', ', '  ')}  {bar} {share:>4.0%}  {duration(spent)}{self._left(spent)}",
            f" {cut(doing(self._now), 76)}",
            f" kept {self._kept}   {amount(self._tokens)} tokens{budget}",
            f" {last:<40} Ctrl-C stops, nothing is lost",
        )

    def _left(self, spent: float) -> str:
        """Roughly, from the pace of the attempts so far."""
        here = self._ended - self._before
        return f", about {duration(spent / here * (self._budget - self._ended))} left" if here >= 3 else ""

    def _fixed(self) -> Group:
        rule = Text("─" * min(80, self._console.width), style="dim")
        return Group(rule, *(Text(line, no_wrap=True, overflow="ellipsis") for line in self.lines()))

    def _follow(self, event: events.Event) -> None:
        if isinstance(event, events.RolloutDone):
            done = self._now.done + 1 if event.stage == self._now.stage else 1
            self._now = self._now.model_copy(update={"stage": event.stage, "done": done})
            return
        update: dict[str, Any] = {}
        if isinstance(event, events.WindowDrawn):
            self._batch, update = event.batch, {"candidate": "", "stage": "traffic", "done": 0}
        elif isinstance(event, events.AttemptStarted):
            update = {"candidate": event.id, "cluster": f"{event.cluster_id} {event.title}", "stage": "", "done": 0}
        elif isinstance(event, events.Kept):
            self._kept, self._last_kept, self._since = self._kept + 1, event.id, -1
        elif isinstance(event, events.Learned):
            self._ended, self._since = self._ended + 1, self._since + 1
        else:
            return
        self._now = self._now.model_copy(update=update)
        known = self._beat()
        self._tokens = known.tokens if known else self._tokens

    def _beating(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            self._console.print(self.heartbeat(), soft_wrap=True)


def describe(event: events.Event) -> str:
    """The event's line as rich markup; empty for an event without one."""
    text = event.line()
    style = _STYLES.get(event.tone)
    return f"[{style}]{escape(text)}[/{style}]" if text and style else escape(text)


_STYLES: dict[events.Tone, str] = {"good": "bold green", "bad": "red", "warning": "yellow", "heading": "bold"}
