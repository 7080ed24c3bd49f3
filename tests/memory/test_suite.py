"""The regression suite is folded from events: a case keeps its first origin, and the oldest stay for ever."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.memory.events import Event
from sigmaloop.memory.suite import fold_suite


def promotions(tasks: list[int]) -> list[Event]:
    return [
        Event(
            seq=n,
            id=f"p{n}",
            kind="promoted",
            batch=n,
            payload={"task_id": f"t{task}", "candidate_id": f"A{n:04d}", "cluster_id": "C001", "batch": n, "passes": 3},
        )
        for n, task in enumerate(tasks, start=1)
    ]


def test_a_promoted_task_is_a_case_with_its_origin(make_events: Callable[..., list[Event]]) -> None:
    noise = make_events(("ledger", {"task_id": "t9"}))
    (case,) = fold_suite([*noise, *promotions([4])], cap=30)
    assert (case.task_id, case.promoted_by, case.cluster_id, case.promoted_batch, case.passes) == (
        "t4", "A0001", "C001", 1, 3,
    )  # fmt: skip


def test_a_task_promoted_twice_keeps_its_first_origin() -> None:
    (case,) = fold_suite(promotions([4, 4]), cap=30)
    assert case.promoted_by == "A0001"


@given(tasks=st.lists(st.integers(0, 8), max_size=20), cap=st.integers(1, 6), cut=st.integers(0, 20))
def test_the_oldest_cases_stay_for_ever(tasks: list[int], cap: int, cut: int) -> None:
    events = promotions(tasks)
    suite = fold_suite(events, cap)
    assert [case.task_id for case in suite] == [f"t{task}" for task in dict.fromkeys(tasks)][:cap]
    earlier = fold_suite(events[:cut], cap)
    assert suite[: len(earlier)] == earlier
