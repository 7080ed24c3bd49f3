"""The condition of a check in code: what must have happened before a call may pass."""

from __future__ import annotations

import json

from sigmaloop.simulation.specialists.wording.fault import Hook
from sigmaloop.simulation.specialists.wording.faults import FAULTS
from sigmaloop.simulation.specialists.wording.subject import recognise


def check_lines(cause: str, concerned: str, objection: str) -> list[str]:
    """Lines for `check_call(name, arguments, messages)`, indented by four.

    `cause` says what the check is about, `concerned` is a Python condition on `name`, `objection` the text that is
    returned while the condition does not hold. Every check but those on identity and consent objects only once.
    """
    name = recognise(cause)
    fault = FAULTS[name] if name else None
    hook: Hook = fault.hook if fault else "told"
    text = json.dumps(objection, ensure_ascii=False)
    if hook == "identity":
        return [
            '    made = [c["function"]["name"] for m in messages for c in m.get("tool_calls") or []]',
            '    known = any(\'"verified": true\' in str(m.get("content")) for m in messages)',
            f'    if {concerned} and not known and "verify_customer" not in made:',
            f"        return {text}",
        ]
    if hook == "consent":
        return [
            '    heard = [str(m.get("content")).lower() for m in messages if m["role"] == "user"][1:]',
            '    agreed = any(w in text for text in heard for w in ("yes", "ok", "go ahead", "sure", "correct"))',
            f"    if {concerned} and not agreed:",
            f"        return {text}",
        ]
    told = [
        f"    reminder = {text}",
        '    told = any(reminder in str(m.get("content")) for m in messages if m["role"] == "tool")',
    ]
    if fault and hook == "looked":
        look = json.dumps(fault.look)
        return [
            *told,
            f'    seen = any(c["function"]["name"] == {look} for m in messages for c in m.get("tool_calls") or [])',
            f"    if {concerned} and not told and not seen:",
            "        return reminder",
        ]
    if hook == "once":
        return [
            *told,
            '    made = [c["function"]["name"] for m in messages for c in m.get("tool_calls") or []]',
            f"    if {concerned} and not told and made.count(name) > 1:",
            "        return reminder",
        ]
    return [*told, f"    if {concerned} and not told:", "        return reminder"]
