"""Calls of many threads in one event loop: its end, interrupted callers, nothing left behind."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from waiting import wait_for

from sigmaloop.errors import UpstreamError
from sigmaloop.tools.upstream.upstream import HttpUpstream

pytestmark = pytest.mark.usefixtures("no_leaks")


KEY = "sk-secret-0123456789"


ASK = {"model": "some-model", "messages": [{"role": "user", "content": "Hello"}]}


def said(answer: dict[str, Any]) -> Any:
    return answer["choices"][0]["message"]["content"]


def test_closing_ends_calls_under_way_and_later_ones(stub: Any, reach: Any) -> None:
    stub.script = ["hang"]
    upstream = reach(timeout=30.0, total=30.0)
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(upstream.complete, ASK) for _ in range(4)]
        wait_for(lambda: stub.hanging == 4)
        upstream.close()
        for call in calls:
            with pytest.raises(UpstreamError, match="closed during a call"):
                call.result(timeout=30)
    upstream.close()
    with pytest.raises(UpstreamError, match="is closed"):
        upstream.complete(ASK)


def test_an_interrupted_caller_leaves_no_call_behind(stub: Any, reach: Any, answered: Any) -> None:
    class Interrupt(BaseException):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupt

    stub.script = ["hang", answered("Next.")]
    upstream = reach(timeout=60.0, total=60.0, connections=1)

    def alarm() -> None:
        wait_for(lambda: stub.hanging)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)

    before = signal.signal(signal.SIGALRM, interrupt)
    caller = threading.Thread(target=alarm)
    try:
        caller.start()
        with pytest.raises(Interrupt):
            upstream.complete(ASK)
    finally:
        caller.join()
        signal.signal(signal.SIGALRM, before)
    assert said(upstream.complete(ASK)) == "Next.", "the only connection is free again"
    assert stub.hanging, "it waited until the endpoint gave up"


def test_an_upstream_that_was_never_used_holds_no_thread() -> None:
    before = threading.active_count()
    with HttpUpstream("http://127.0.0.1:1/v1", KEY):
        assert threading.active_count() == before


def test_many_threads_share_it(stub: Any, reach: Any) -> None:
    upstream = reach(timeout=10.0, total=20.0)
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda n: upstream.complete({**ASK, "seed": n}), range(200)))
    assert len(answers) == len(stub.seen) == 200
    assert {request["seed"] for request in stub.seen} == set(range(200))
