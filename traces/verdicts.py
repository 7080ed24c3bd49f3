"""Whether a conversation failed, as its file says it: by a reward, a mark, or a feedback score."""

from __future__ import annotations

import math
from collections.abc import Mapping

from sigmaloop.traces.imported import ImportedOutcome

NAMES = (
    "reward", "score", "passed", "pass", "success", "correct", "correctness", "resolved", "outcome", "status", "label",
    "user_score", "thumbs_up",
)  # fmt: skip
"""Fields that tell it, the first that is there."""
_GOOD = {"passed", "pass", "success", "succeeded", "correct", "resolved", "ok", "true", "yes", "good", "positive"}
_BAD = {"failed", "fail", "failure", "error", "incorrect", "unresolved", "false", "no", "bad", "negative"}


def judged(fields: Mapping[str, object], *, pass_at: float = 1.0) -> tuple[ImportedOutcome, float | None]:
    """Outcome and reward as the first field says it that can be read; a number passes from `pass_at` on."""
    for name in NAMES:
        found = reading(fields.get(name), pass_at=pass_at)
        if found is not None:
            return found
    return "unknown", None


def reading(value: object, *, pass_at: float = 1.0) -> tuple[ImportedOutcome, float | None] | None:
    """What one value says; None when it says nothing."""
    if isinstance(value, bool):
        return ("passed" if value else "failed"), float(value)
    if isinstance(value, (int, float)) and math.isfinite(value):
        return ("passed" if value >= pass_at else "failed"), float(value)
    if isinstance(value, str):
        word = value.strip().casefold()
        if word in _GOOD | _BAD:
            return ("passed" if word in _GOOD else "failed"), None
    return None
