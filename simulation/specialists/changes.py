"""What the simulated engineer writes: good, vague, over-broad, overfitted, broken and empty changes.

Texts are composed from what the failures say should have been done; whether they help is for the reader of the
changed agent to find out, not for the one who writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from sigmaloop.records import ChangeKind
from sigmaloop.simulation.specialists.edit_points import (
    Edit,
    add_check,
    add_comment,
    add_to_dict,
    add_to_list,
    add_to_prompt,
    literal,
    remind_after_policy,
)
from sigmaloop.simulation.specialists.request import Request
from sigmaloop.simulation.specialists.wording import Form, check_lines, placed, remedy, weaknesses

Quality = Literal["specific", "half", "vague", "broad", "overfit", "broken", "empty", "repeat"]

SHARES: tuple[tuple[Quality, float], ...] = (
    ("specific", 0.6),
    ("half", 0.14),
    ("vague", 0.08),
    ("broad", 0.06),
    ("overfit", 0.05),
    ("broken", 0.03),
    ("empty", 0.02),
    ("repeat", 0.02),
)
"""Share of first proposals of each quality, by one who knows the failures alone; the shares add up to 1.

`half`: it names the trouble and not what to do. What is learned of earlier attempts turns it into `specific`."""

KINDS: tuple[ChangeKind, ...] = ("prompt", "example", "control_flow", "tool", "context")


class Plan(NamedTuple):
    """What one attempt is going to write, fixed when the brief is read."""

    quality: Quality
    kind: ChangeKind
    text: str
    """The rule, before it takes the form of its kind."""
    cause: str
    tool: str
    """The tool that a note or a check is about."""
    wide: bool = False
    """A check looks at every call that changes something, not at this tool's alone."""


def wording(remedy_for: str, request: Request, *, reason: str = "") -> str:
    """A rule against what the text is about; worded otherwise when `reason` says why a draft was rejected."""
    return remedy(remedy_for, "rule", "specific", request.draw, reason=reason)


def vague(subject: str, request: Request) -> str:
    """Well meant but no help: it may name a subject, never what to do."""
    return placed(weaknesses.vague(f"requests of the kind {subject}", request.draw), "rule", request.draw)


def half(trouble: str, request: Request) -> str:
    """It names the trouble, and leaves open what to do about it."""
    half_said = request.pick(_HALVES, "half").format(trouble=trouble.strip().rstrip(".").lower())
    return placed(half_said, "rule", request.draw)


_HALVES = (
    "Mind this frequent trouble: {trouble}.",
    "There have been complaints about this: {trouble}.",
    "Known weakness of earlier agents: {trouble}.",
)


def broad(cause: str, request: Request) -> str:
    """A rule that goes much too far; what it says depends on the trouble it was written against."""
    return remedy(cause, "rule", "broad", request.draw)


def blurred(causes: str, request: Request) -> str:
    """A rule for a mixed cluster: it serves the two faults that the text speaks of, and says each less clearly."""
    return remedy(causes, "rule", "blurred", request.draw)


def overfit(remedy_for: str, seen: str, request: Request) -> str:
    """The remedy, tied to a case that was seen."""
    return remedy(remedy_for, "rule", "overfit", request.draw, seen=seen)


def edit(plan: Plan, source: str, request: Request) -> Edit | None:
    """The replacement that carries out a plan on the source as it is; None when the file has no place for it."""
    if plan.quality == "empty":
        return add_comment(source)
    if plan.quality == "broken":
        return _broken(plan, source)
    replacement = _place(plan, source, request)
    return replacement or add_to_list(source, "RULES", plan.text) or add_to_prompt(source, plan.text)


def _place(plan: Plan, source: str, request: Request) -> Edit | None:
    if plan.kind == "prompt":
        return add_to_list(source, "RULES", plan.text)
    if plan.kind == "example":
        return add_to_list(source, "EXAMPLES", _formed(plan, "example", request))
    if plan.kind == "tool":
        note = _formed(plan, "tool_note", request)
        return add_to_dict(source, "TOOL_NOTES", plan.tool, note) if plan.tool else None
    if plan.kind == "context":
        return remind_after_policy(source, _formed(plan, "context_note", request))
    return add_check(source, _check(plan, request)) if plan.tool or plan.wide else None


def _formed(plan: Plan, form: Form, request: Request) -> str:
    """What the plan says, as it is said in a place of this kind."""
    if plan.quality == "specific":
        return remedy(plan.text, form, "specific", request.draw)
    return placed(plan.text, form, request.draw)


def _check(plan: Plan, request: Request) -> list[str]:
    """Code that refuses a call until the rule's condition holds, or refuses it once as a reminder."""
    concerned = f"name == {literal(plan.tool)}"
    if plan.wide:
        concerned = 'not name.startswith(("find", "get", "list", "search", "check", "verify"))'
    return check_lines(plan.text, concerned, _formed(plan, "check", request))


def _broken(plan: Plan, source: str) -> Edit | None:
    """A check with a syntax error."""
    lines = [f"    if name == {literal(plan.tool or 'transfer_to_human')}", f"        return {literal(plan.text)}"]
    return add_check(source, lines) or _unfinished(source, plan.text)


def _unfinished(source: str, text: str) -> Edit | None:
    replacement = add_to_list(source, "RULES", text)
    return Edit(replacement.old, replacement.new.removesuffix("]")) if replacement else None


def summary(plan: Plan) -> str:
    """One sentence on the change, at most 200 characters."""
    what: dict[ChangeKind, str] = {
        "prompt": "Adds the rule",
        "example": "Adds an example of",
        "tool": f"Adds to the description of {plan.tool or 'a tool'}",
        "context": "Repeats after the policy",
        "control_flow": f"Checks {'every changing call' if plan.wide else f'calls of {plan.tool}'} in code",
    }
    sentence = f"{what[plan.kind]}: {plan.text}"
    return sentence if len(sentence) <= 200 else sentence[:196] + " ..."


def kinds_left(tried: Sequence[str]) -> list[ChangeKind]:
    """Kinds of change that were not tried yet; all of them when every one was."""
    left = [kind for kind in KINDS if kind not in tried]
    return left or list(KINDS)
