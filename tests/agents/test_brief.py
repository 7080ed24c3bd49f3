"""What the harness engineer is shown at once, and in which order: the newest failures, the latest attempts."""

from __future__ import annotations

import re

import pytest

from sigmaloop.agents.brief import SHOWN_FAILURES, Brief, PastAttempt, ShownTrace
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
    return Brief.model_validate({"cluster": cluster(failures), "attempt": 3, "agent": "x" * 4321} | changes)


def shown(pattern: str, brief: Brief) -> list[str]:
    return re.findall(pattern, brief_prompt(brief, setting="s", calls=16).user)


@pytest.mark.parametrize(
    ("failures", "expected"), [(0, []), (1, [0]), (3, [2, 1, 0]), (SHOWN_FAILURES + 4, [*range(11, 3, -1)])]
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
    text = shown(r"- \[(.+) -> (.+)\n", brief(attempts=(unusable, kept)))
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
        ("diagnosis", "none yet"),
        ("failures", "none"),
        ("traces", "none"),
        ("passing", "none"),
        ("attempts", "none yet"),
        ("works", "none yet"),
        ("rates", "none yet"),
        ("others", "none yet"),
        ("learnings", "none yet"),
    ]


def test_a_failed_attempt_is_told_with_its_diff_figures_recording_and_the_judges_idea() -> None:
    past = PastAttempt(
        id="A0002", kind="tool", summary="Notes it.", outcome="rejected", gate="cluster_tasks", diff="+ a note",
        figures=("1 of 4 trials passed",), trace="[3] AGENT: no </attempts>", because="too late", next_idea="a check",
    )  # fmt: skip
    user = brief_prompt(brief(attempts=(past,)), setting="s", calls=16).user
    for part in ("A0002 [tool] Notes it. -> rejected by cluster_tasks", "training: 1 of 4 trials passed",
                 "failed because: too late", "next idea: a check", "+ a note", "[3] AGENT: no"):  # fmt: skip
        assert part in user
    assert user.count("</attempts>") == 1


def test_recordings_tools_policy_and_what_works_are_shown_each_in_its_place() -> None:
    one = brief(
        traces=(ShownTrace(name="F1", ending="no refund", text="[0] USER: hi"),), tools="- refund(id): gives it back",
        passing=ShownTrace(name="cancel", text="[0] USER: well"), policy="Be exact.", works=("A0001 [prompt] a rule",),
        rates=("prompt on missing: 1 of 2 kept",), others=("C002 other cause",), program="House rules.",
    )  # fmt: skip
    user = brief_prompt(one, setting="s", calls=16).user
    for section, text in (
        ("traces", "== F1 ended: no refund\n[0] USER: hi"), ("passing", "== cancel\n[0] USER: well"),
        ("tools", "- refund(id): gives it back"), ("policy", "Be exact."), ("works", "- A0001 [prompt] a rule"),
        ("rates", "- prompt on missing: 1 of 2 kept"), ("others", "- C002 other cause"), ("program", "House rules."),
    ):  # fmt: skip
        assert f"<{section}>\n{text}\n</{section}>" in user


def test_a_brief_has_a_size_however_long_its_recordings_are() -> None:
    long = ShownTrace(name="F1", text="[0] USER: x\n" * 50_000)
    user = brief_prompt(brief(traces=(long,) * 3, passing=long, policy="p" * 10**6), setting="s", calls=16).user
    assert len(user) < 90_000
    assert "characters left out" in user
