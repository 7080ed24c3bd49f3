"""What the simulated engineer writes: good, vague, over-broad, overfitted, broken and empty changes.

Texts are composed from what the failures say should have been done; whether they help is for the reader of the
changed agent to find out, not for the one who writes them.
"""

from __future__ import annotations

import re
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


_OPENINGS = ("", "", "", "In every conversation: ", "Keep to this: ", "Remember: ", "Important: ", "From now on: ")


def wording(remedy: str, request: Request) -> str:
    """A remedy as a rule, with an opening of its own."""
    return _opened(remedy.strip().rstrip(".") + ".", request)


def _opened(rule: str, request: Request) -> str:
    opening = request.pick(_OPENINGS, "opening")
    return f"{opening}{_lower(rule)}" if opening else rule


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def vague(subject: str, request: Request) -> str:
    """Well meant but no help: it may name a subject, never what to do."""
    rule = request.pick(
        (
            "Be careful and attentive.",
            "Double-check your work.",
            "Make sure that everything is right for the customer.",
            "Think before you act.",
            "Pay close attention to details.",
            "Work thoroughly and try to avoid mistakes.",
            "Always give good service and be accurate.",
            f"Be careful with requests of the kind {subject}.",
            f"Try to avoid mistakes when it comes to {subject}.",
            f"Give your best with {subject}.",
        ),
        "vague",
    )
    return _opened(rule, request)


def half(trouble: str, request: Request) -> str:
    """It names the trouble, and leaves open what to do about it."""
    return _opened(request.pick(_HALVES, "half").format(trouble=trouble.strip().rstrip(".").lower()), request)


_HALVES = (
    "Mind this frequent trouble: {trouble}.",
    "There have been complaints about this: {trouble}.",
    "Known weakness of earlier agents: {trouble}.",
)


def broad(cause: str, request: Request) -> str:
    """A rule that goes much too far; what it says depends on the trouble it was written against."""
    trouble = cause.lower()
    choices = [
        "When anything is unclear or difficult, transfer to a human.",
        "Confirm every single step with the customer several times, look-ups included.",
        "Keep your messages as short as possible, one sentence and no details.",
        "Do whatever the customer wants, so that they are satisfied.",
    ]
    if "error" in trouble or "tool" in trouble or "argument" in trouble:
        choices[:0] = ["Keep retrying every call until it works, as often as needed."] * 2
    if "policy" in trouble or "forbid" in trouble or "check" in trouble:
        choices[:0] = ["Refuse any request that the policy does not explicitly allow."] * 2
    if "refund" in trouble or "amount" in trouble or "fee" in trouble:
        choices[:0] = ["Never refund anything, under no circumstances."] * 2
    if "first" in trouble or "line" in trouble or "order" in trouble:
        choices[:0] = ["Always ask the customer which order, reservation or line is meant, every time."] * 2
    return _opened(request.pick(choices, "broad"), request)


def overfit(remedy: str, seen: str, request: Request) -> str:
    """The remedy, tied to a case that was seen."""
    lower = _lower(remedy)
    ids = re.findall(r"\b[a-z]{2}_\w*\d\w*|[\w.]+@[\w.]+\.\w+|\b[A-Z]\d{3,}\b", seen)
    if ids:
        return f"For {request.pick(list(dict.fromkeys(ids)), 'case')}: {lower}"
    amounts = re.findall(r"\$ ?\d+(?:\.\d+)?", seen)
    names = re.findall(r"\bI(?:'m| am) ([A-Z][a-z]+ [A-Z][a-z]+)|\bname is ([A-Z][a-z]+ [A-Z][a-z]+)", seen)
    who = next((a or b for a, b in names), "") or (f"who mentions {amounts[0]}" if amounts else "of this case")
    return f"For the customer {who} only: {lower}"


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
        return add_to_list(source, "EXAMPLES", _example(plan.text, request))
    if plan.kind == "tool":
        return add_to_dict(source, "TOOL_NOTES", plan.tool, plan.text) if plan.tool else None
    if plan.kind == "context":
        return remind_after_policy(source, f"Keep in mind: {plan.text}")
    return add_check(source, _check(plan)) if plan.tool or plan.wide else None


def _example(text: str, request: Request) -> str:
    lower = _lower(text)
    return request.pick(
        (
            f"Example\nCustomer: asks for help with something of this kind.\nAgent: {text}",
            f"Example: what a good agent does.\nAgent: {text}",
            f"Worked example:\nCustomer: has such a request.\nAgent (to itself): I know how this is done: {lower}",
        ),
        "example",
    )


def _check(plan: Plan) -> list[str]:
    """Code that refuses a call until the rule's condition holds, or refuses it once as a reminder."""
    rule = literal(plan.text)
    concerned = f"name == {literal(plan.tool)}"
    if plan.wide:
        concerned = 'not name.startswith(("find", "get", "list", "search", "check", "verify"))'
    rule_text = plan.text.lower()
    if "verify_customer" in rule_text or "verify the identity" in rule_text:
        return [
            '    made = [c["function"]["name"] for m in messages for c in m.get("tool_calls") or []]',
            '    known = any(\'"verified": true\' in str(m.get("content")) for m in messages)',
            f'    if {concerned} and not known and "verify_customer" not in made:',
            f"        return {rule}",
        ]
    if re.search(r"\b(explicit|after a) yes\b", rule_text):
        return [
            '    heard = [str(m.get("content")).lower() for m in messages if m["role"] == "user"][1:]',
            '    agreed = any(w in text for text in heard for w in ("yes", "ok", "go ahead", "sure", "correct"))',
            f"    if {concerned} and not agreed:",
            f"        return {rule}",
        ]
    return [
        f"    reminder = {rule}",
        '    told = any(reminder in str(m.get("content")) for m in messages if m["role"] == "tool")',
        f"    if {concerned} and not told:",
        "        return reminder",
    ]


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
