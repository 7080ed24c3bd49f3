"""An event loop in a thread of its own, for callers in many threads: one pooled session serves all of them."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from sigmaloop.errors import UpstreamError
from sigmaloop.tools.gateway.call import Call

T = TypeVar("T")


class LoopThread:
    """Runs coroutines of any thread; starts with the first one. Thread-safe."""

    def __init__(self, url: str, *, at_end: Callable[[], Awaitable[None]]) -> None:
        """`url`: the endpoint, as messages name it. `at_end`: awaited in the loop before it is closed."""
        self._url = url
        self._at_end = at_end
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def wait_for(self, answer: Coroutine[Any, Any, T], call: Call) -> T:
        """Run it to its end, or until the call is cancelled. Raises UpstreamError 503 when it is cut short."""
        try:
            with self._lock:
                future = asyncio.run_coroutine_threadsafe(answer, self._running_loop())
        except UpstreamError:
            answer.close()
            raise
        call.watch(future.cancel)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise UpstreamError(f"the connection to {self._url} was closed during a call", status=503) from None
        finally:
            future.cancel()  # the caller was interrupted: nobody waits for this answer any more

    def close(self) -> None:
        """Cancel what is under way and end the thread. May be called twice."""
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._closed:
            raise UpstreamError(f"the connection to {self._url} is closed", status=503)
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._serve, args=(self._loop,), name="upstream", daemon=True)
            self._thread.start()
        return self._loop

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(self._wind_up())
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            asyncio.set_event_loop(None)
            loop.close()

    async def _wind_up(self) -> None:
        under_way = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._at_end()
