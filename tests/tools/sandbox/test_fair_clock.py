"""What a silent child is charged: by what the kernel said about it, slice by slice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waiting import wait_for

from sigmaloop.tools.sandbox.fair_clock import CLOSE, PATIENCE, FairClock, Look, look, state, threads

SECOND = 1_000_000_000


def seen(*looks: Look | None) -> Callable[[], Look | None]:
    """One look after the other."""
    left = iter(looks)
    return lambda: next(left)


def one(letter: str, ran: float = 0.0, waited: float = 0.0) -> Look:
    """A child with one thread; seconds."""
    return Look(letter, {1: int(ran * SECOND)}, {1: int(waited * SECOND)})


def after(looks: Iterable[Look | None], seconds: float = 1.0) -> FairClock:
    """A clock that has counted a second before each look."""
    looks = list(looks)
    clock = FairClock(seen(*looks))
    for _ in looks:
        clock.count(seconds)
    return clock


def test_sleeping_is_its_own_doing() -> None:
    assert after([one("S")] * 4).charged == 4


def test_computing_is_its_own_doing() -> None:
    assert after([one("R", ran=n) for n in range(4)]).charged == 4


def test_the_wait_for_a_processor_is_not() -> None:
    """It computed for half a second in ten, and was ready all the time."""
    clock = after([one("R", ran=n * 0.05, waited=n * 0.95) for n in range(11)])
    assert clock.charged == pytest.approx(1.5)  # the second before the first look is nobody's


def test_a_wait_that_has_not_ended_yet_is_seen_from_its_state_and_not_counted_twice() -> None:
    waiting = [one("R"), one("R"), one("R"), one("R")]
    assert after(waiting).charged == 1
    assert after([*waiting, one("R", ran=0.5, waited=3.5)]).charged == pytest.approx(1.5)


def test_being_stopped_is_not_and_ends_it_when_its_time_is_up() -> None:
    clock = after([one("S"), one("T"), one("T")])
    assert (clock.charged, clock.stopped) == (1, True)
    assert clock.next_slice(allowed=4) > 0
    assert clock.next_slice(allowed=3) == 0


def test_time_in_which_it_was_stopped_before_is_not_charged() -> None:
    clock = after([one("S"), one("T"), one("T"), one("S")])
    assert (clock.charged, clock.stopped) == (2, False)


def test_many_threads_that_wait_for_each_other_are_charged_what_they_run() -> None:
    first = Look("R", dict.fromkeys(range(100), 0), dict.fromkeys(range(100), 0))
    last = Look("R", dict.fromkeys(range(100), SECOND // 50), dict.fromkeys(range(100), SECOND))
    assert after([first, last]).charged == 2
    assert after([first, last]).threads == 100


def test_without_anything_known_all_of_it_is_charged() -> None:
    assert after([None] * 3).charged == 3


def test_a_child_that_waits_without_end_is_given_up() -> None:
    clock = FairClock(lambda: one("D"))
    for _ in range(10_000):
        wait = clock.next_slice(allowed=1)
        if wait == 0:
            break
        clock.count(wait)
    assert clock.charged < 1
    assert clock.passed == pytest.approx(PATIENCE, abs=0.01)


looks = st.builds(
    Look,
    st.sampled_from("RSDTt"),
    st.dictionaries(st.integers(1, 3), st.integers(0, 5 * SECOND)),
    st.dictionaries(st.integers(1, 3), st.integers(0, 5 * SECOND)),
)


@given(st.lists(st.none() | looks, min_size=1, max_size=8))
def test_whatever_is_seen_nobody_is_charged_more_than_has_passed(made: list[Look | None]) -> None:
    clock = after(made)
    assert 0 <= clock.charged <= clock.passed == len(made)
    assert clock.next_slice(allowed=clock.passed / PATIENCE) == 0
    assert 0 <= clock.next_slice(allowed=clock.charged + 10 * CLOSE) <= 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_kernel_says_what_a_process_does() -> None:
    here = look(os.getpid())
    assert here is not None
    assert os.getpid() in here.ran
    assert here.ran.keys() == here.waited.keys()
    assert threads(os.getpid()) >= 1
    sleeper = subprocess.Popen(["/bin/sleep", "60"])
    try:
        wait_for(lambda: state(sleeper.pid) == "S")
        sleeper.send_signal(19)
        wait_for(lambda: state(sleeper.pid) == "T")
    finally:
        sleeper.kill()
        sleeper.wait()
    assert state(sleeper.pid) is None
    assert look(sleeper.pid) is None
    assert threads(sleeper.pid) == 0
