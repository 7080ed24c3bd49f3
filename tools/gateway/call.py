"""One model call under way: how it can be ended early, and what was lost on it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sigmaloop.tools.json_types import Json


class Call:
    """Shared by whoever asks, the gateway and the upstream. Thread-safe; `cancel` may be called at any time."""

    def __init__(self, *, on_chunk: Callable[[Json], None] | None = None) -> None:
        """`on_chunk`: wants the answer in pieces, as they come, where the upstream can; in any thread."""
        self._on_chunk = on_chunk
        self._on_lost: Callable[[], bool] = lambda: True
        self._end: Callable[[], object] = lambda: None
        self._lock = threading.Lock()
        self.cancelled = False
        self.delivered = False
        """Whether a piece of the answer went out: the call cannot be repeated unnoticed any more."""

    @property
    def streaming(self) -> bool:
        return self._on_chunk is not None

    def deliver(self, chunk: Json) -> None:
        """Hand on a piece of the answer."""
        if self._on_chunk is not None:
            self.delivered = True
            self._on_chunk(chunk)

    def cancel(self) -> None:
        """End it: nobody wants its answer any more. Does nothing when it is over."""
        with self._lock:
            self.cancelled = True
            end = self._end
        end()

    def watch(self, end: Callable[[], object]) -> None:
        """From now on `end` is what cancels it; called at once if it is cancelled already."""
        with self._lock:
            self._end = end
            late = self.cancelled
        if late:
            end()

    def when_lost(self, charge: Callable[[], bool]) -> None:
        """What a try costs whose answer never came whole; False: nothing is left for another one."""
        self._on_lost = charge

    def lose(self) -> bool:
        """A try went out and its answer did not come whole: it may have been billed. Whether to try again."""
        return self._on_lost()
