"""A brief as the harness engineer reads it: newest failures first, and the attempts and learnings that fit."""

from __future__ import annotations

from sigmaloop.agents.brief import Brief, PastAttempt
from sigmaloop.agents.prompt import SETTING_LIMIT, Prompt, quoted, render
from sigmaloop.records import FailureRecord

SHOWN_ATTEMPTS = 20
"""The latest; an older one can be searched for."""
SHOWN_LEARNINGS = 10


def brief_prompt(brief: Brief, *, setting: str, calls: int) -> Prompt:
    """The engineer's first messages; `setting` is the benchmark's, `calls` how many turns it has."""
    return render(
        "harness_engineer",
        setting=quoted(setting, SETTING_LIMIT),
        title=quoted(brief.cluster.title, 200),
        root_cause=quoted(brief.cluster.root_cause, 800),
        failures="\n".join(quoted(_failure(f), 1_500) for f in brief.failures) or "none",
        attempts="\n".join(quoted(_attempt(a), 400) for a in brief.attempts[-SHOWN_ATTEMPTS:]) or "none yet",
        learnings="\n".join(quoted(f"- {text}", 600) for text in brief.learnings[:SHOWN_LEARNINGS]) or "none yet",
        attempt=brief.attempt,
        size=brief.agent_size,
        size_limit=brief.size_limit,
        calls=calls,
    )


def _failure(failure: FailureRecord) -> str:
    quotes = "; ".join(f"step {e.step}: {e.quote}" for e in failure.evidence)
    return (
        f"- {failure.id} ({failure.request_type}, severity {failure.severity}): {failure.mechanism}\n"
        f"  what failed: {failure.what_failed}\n  root cause: {failure.root_cause}\n"
        f"  should have: {failure.should_have}\n  evidence: {quotes or 'none'}"
    )


def _attempt(attempt: PastAttempt) -> str:
    outcome = "kept" if attempt.outcome == "kept" else f"rejected by {attempt.gate or 'the gate'}"
    return f"- [{attempt.kind or 'nothing handed in'}] {attempt.summary} -> {outcome}"
