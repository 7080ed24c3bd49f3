"""What the harness engineer is shown at once, and in which order: the newest failures, the latest attempts."""

from __future__ import annotations

import re

import pytest

from sigmaloop.agents.brief import SHOWN_FAILURES, Brief, PastAttempt
from sigmaloop.agents.brief_text import SHOWN_ATTEMPTS, SHOWN_LEARNINGS, brief_prompt
from sigmaloop.records import Cluster, Evidence, FailureRecord


def failure(number: int) -> FailureRecord:
    """The failures are numbered as they come: 0 is the oldest."""
    return FailureRecord(
        rollout_id=f"{number:016x}",
        task_id=f"train-{number}",
        request_type="repair",
        batch=number,
        mechanism=f"mechanism {number}",
        what_failed="w",
        root_cause="r",
        should_have="s",
        severity=2,
    )


def cluster(failures: int) -> Cluster:
    return Cluster(
        id="C001", title="a title", root_cause="a cause", created_batch=0, failures=tuple(map(failure, range(failures)))
    )


def brief(failures: int = 1, **changes: object) -> Brief:
    return Brief.model_validate({"cluster": cluster(failures), "attempt": 3, "agent_size": 4321} | changes)


def shown(pattern: str, brief: Brief) -> list[str]:
    return re.findall(pattern, brief_prompt(brief, setting="s", calls=16).user)


@pytest.mark.parametrize(
    ("failures", "expected"), [(0, []), (1, [0]), (3, [2, 1, 0]), (SHOWN_FAILURES + 4, [8, 7, 6, 5, 4])]
)
def test_the_newest_failures_are_shown_and_the_newest_of_all_first(failures: int, expected: list[int]) -> None:
    one = brief(failures)
    assert [f.batch for f in one.failures] == expected
    assert shown(r": mechanism (\d+)", one) == [str(number) for number in expected]


def test_a_failure_is_shown_with_cause_remedy_and_quotes_and_without_its_task() -> None:
    quoted = failure(7).model_copy(update={"evidence": (Evidence(step=4, quote="its words"),)})
    text = brief_prompt(
        brief(cluster=cluster(0).model_copy(update={"failures": (quoted,)})), setting="s", calls=16
    ).user
    for part in (quoted.id, "severity 2", "what failed: w", "root cause: r", "should have: s", "step 4: its words"):
        assert part in text
    assert quoted.task_id not in text


def test_the_latest_attempts_are_shown_oldest_first_and_each_by_what_became_of_it() -> None:
    def attempt(number: int) -> PastAttempt:
        return PastAttempt(kind="tool", summary=f"try {number}", outcome="rejected", gate="regression")

    text = shown(r"try (\d+) -> rejected by regression", brief(attempts=[attempt(n) for n in range(25)]))
    assert text == [str(number) for number in range(25 - SHOWN_ATTEMPTS, 25)]
    unusable = PastAttempt(kind=None, summary="", outcome="rejected", gate="admission")
    kept = PastAttempt(kind="prompt", summary="a rule", outcome="kept")
    text = shown(r"- \[(.+) -> (.+)", brief(attempts=(unusable, kept)))
    assert text == [("nothing handed in] ", "rejected by admission"), ("prompt] a rule", "kept")]


def test_the_most_relevant_learnings_are_shown() -> None:
    text = shown(r"- learning (\d+)", brief(learnings=[f"learning {n}" for n in range(14)]))
    assert text == [str(number) for number in range(SHOWN_LEARNINGS)]


def test_attempt_number_and_sizes_are_named() -> None:
    prompt = brief_prompt(brief(size_limit=5_000), setting="s", calls=11)
    assert "This is attempt 3 of this batch. agent.py has 4321 characters; at most 5000 are allowed." in prompt.user
    assert "at most 11 turns" in prompt.system


def test_an_empty_brief_says_so() -> None:
    assert shown(r"<(\w+)>\n(none.*)\n", brief(0)) == [
        ("failures", "none"),
        ("attempts", "none yet"),
        ("learnings", "none yet"),
    ]
