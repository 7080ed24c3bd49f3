"""What the model writes when it is asked for a text and given no tools: a plan, a review, a summary, or an answer.

Such a text does as much in the conversation as its words do (`simulation.reading`): a plan names the customer's
matters, a review notices what can be seen in a draft, a summary repeats what was said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sigmaloop.simulation.actor import understanding as read

_PLAN = re.compile(r"\b(plan|steps?|strategy|outline|approach|think)\b", re.I)
_REVIEW = re.compile(r"\b(review|check|critici[sz]e|critique|verify|wrong with|mistakes?|correct)\b", re.I)
_SUMMARY = re.compile(r"\b(summar\w+|recap|condense|shorten|so far)\b", re.I)
_DRAFT = re.compile(r"\bdraft\b[^\n:.]{0,20}:\s*(.+)", re.I | re.S)
_LONGEST = 700


def written(request: Mapping[str, object], *, opening: str) -> str:
    """The text that is asked for, by the last thing that was written."""
    texts = [text for m in _list(request.get("messages")) if isinstance(m, Mapping) and (text := _text(m))]
    if not texts:
        return "How can I help you?"
    asked = texts[-1] if len(texts[-1]) < _LONGEST else texts[-1][:300] + texts[-1][-400:]
    wanted = f"{texts[0][:200]} {asked}"
    if _SUMMARY.search(asked):
        return _summary(texts)
    if _REVIEW.search(wanted):
        return _review(texts[-1])
    if _PLAN.search(asked):
        return _plan(opening or asked)
    words = re.findall(r"\w+", opening or asked)[:12]
    return f"Thank you for your message. You wrote: {' '.join(words)}."


def _plan(opening: str) -> str:
    """The customer's matters, one after the other."""
    matters = [re.sub(r"\s+", " ", part)[:160] for part in read.split_requests(opening)]
    steps = ["Find the customer and look at the account.", *(f"Then: {matter}" for matter in matters)]
    if len(matters) > 1:
        steps.append("Finish every request of the message, one after the other, before closing.")
    return " ".join(f"{n}. {step}" for n, step in enumerate(steps, 1))


def _review(text: str) -> str:
    """What can be seen in a draft: it says goodbye without a question, or hands over after an error."""
    found = _DRAFT.search(text)
    draft = found.group(1) if found else text
    if re.search(r"goodbye|have a nice day", draft, re.I) and "anything else" not in draft.lower():
        return "The draft closes too early: ask whether there is anything else before you say goodbye."
    if "transfer_to_human" in draft and re.search(r"Error", text):
        return "The draft gives up: read the error and try the call again before you hand over."
    return "The draft is in order."


def _summary(texts: list[str]) -> str:
    """The beginning of everything that was said."""
    return "Summary: " + " ".join(re.sub(r"\s+", " ", text)[:160] for text in texts[1:-1][:12] or texts[:1])


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = (p.get("text") for p in _list(content) if isinstance(p, Mapping))
    return "\n".join(p for p in parts if isinstance(p, str))


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
