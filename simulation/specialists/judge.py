"""The simulated gate judge: reads what a diff adds and says whether it is sound, overfit, risky or unclear."""

from __future__ import annotations

import re

from sigmaloop.simulation.messages import Message
from sigmaloop.simulation.specialists.phrasings import PHRASINGS
from sigmaloop.simulation.specialists.recognition import recognise
from sigmaloop.simulation.specialists.request import Request, field

_INSTANCE = re.compile(
    r"\b[a-z]{2}_\w*\d\w*|[\w.]+@[\w.]+\.\w+|\b[A-Z]\d{3,}\b|customer [A-Z][a-z]+ [A-Z][a-z]+|\$ ?\d+|of this case only"
)
_BROAD = re.compile(
    r"anything is unclear|every single step|as short as possible|whatever the customer|until it works|"
    r"not explicitly allow|at all\b|every time\b|under no circumstances",
    re.IGNORECASE,
)
_SAID = {
    "sound": "It says what to do against the cause, in general terms and at one place.",
    "overfit": "It names a particular case and teaches nothing for other tasks; state the behaviour in general.",
    "risky": "It goes further than the cause demands and may disturb tasks that went well; say when it applies.",
    "unclear": "It does not say what the agent should do differently; be specific about the step that was missed.",
}


def answer(request: Request) -> Message:
    """A judgement by what the added lines say; now and then off the mark."""
    added = "\n".join(line[1:] for line in request.section("diff").splitlines() if re.match(r"\+(?!\+\+)", line))
    reading = _reading(added)
    if request.draw("misread") < 0.08:
        reading = request.pick(("sound", "risky", "unclear"), "misreading")
    clear_case = reading == "overfit" and bool(re.search(r"\b[a-z]{2}_\w*\d|@", added))
    rejected = re.findall(r"^- (\w[\w ]*?)(?: \(.*\))?: failed", request.section("verdicts"), re.MULTILINE)
    fate = f" The {rejected[-1]} gate rejected it." if rejected else ""
    cause = field(request.section("cluster"), "title") or "the cause"
    because = f"The change is meant against “{cause}”. {_SAID[reading]}{fate}"
    why = {"failed_because" if rejected else "helped_because": because}
    return request.answer({"classification": reading, "veto": clear_case, **why, "next_idea": _idea(request, rejected)})


def _idea(request: Request, rejected: list[str]) -> str:
    """What to do about the cause, in the words of a remedy; now and then nothing in particular."""
    cluster = request.section("cluster")
    habit = recognise(f"{field(cluster, 'title')} {field(cluster, 'root cause')}")
    if habit is None or request.draw("idea") < 0.2:
        return "Look at the recording and say what to do at that step."
    remedy = request.pick(PHRASINGS[habit].remedies, "idea words")
    begin = "Say it where more cases meet it: " if rejected[-1:] == ["validation"] else "Say what to do: "
    return f"{begin}{remedy}"[:200]


def _reading(added: str) -> str:
    if _INSTANCE.search(added):
        return "overfit"
    if _BROAD.search(added):
        return "risky"
    return "sound" if recognise(added, floor=0.2) else "unclear"
