"""What a draft's engineer is told beside the usual: the form asked for, why the last try fell, what the style shows.

All of it is of training and of the run's own texts.
"""

from __future__ import annotations

from sigmaloop.graph.search_facts import DRAFTED
from sigmaloop.graph.searching import Search
from sigmaloop.graph.services import Services
from sigmaloop.search.styles.make import make_style
from sigmaloop.search.styles.shown import Critique, Memory, Piece, ScoredText, Shown
from sigmaloop.search.words import Reason, Slot

_LONGEST = 400
"""Characters of one thing that is shown."""
_FORMS = {
    "prompt": "a rule in the prompt",
    "example": "an example",
    "tool": "a note on a tool",
    "control_flow": "a check in code",
    "context": "a change of what the model sees",
}


def advice_for(services: Services, search: Search, slot: Slot) -> str:
    """In sentences; empty where there is nothing to add."""
    said = []
    if slot.bundle:
        said.append("Other engineers mend the other causes at the same time: change as little else as you can.")
    if slot.lever:
        said.append(f"If it fits the cause, make it {_FORMS[slot.lever]}.")
    if slot.reason:
        said.append(reason_text(slot.reason))
    shown = make_style(services.settings.style).shows(slot, memory_of(services, search))
    return " ".join([*said, _shown(shown)]).strip()


def reason_text(reason: Reason) -> str:
    """Why the last try fell, as the engineer reads it: training alone."""
    match reason.code:
        case "targets":
            said = (
                f"your last draft did not mend its targets: {reason.after} of {reason.trials} trials passed, "
                f"{reason.before} without it"
            )
        case "probes":
            said = "your last draft lost other tasks of these request types"
        case "equal":
            said = "your last draft said what another says"
        case _:
            said = f"your last draft could not be used: {reason.message}"
    lost = f" (such as {', '.join(reason.used_to_pass)})" if reason.used_to_pass else ""
    return f"Do something else this time: {said}{lost}."


def memory_of(services: Services, search: Search) -> Memory:
    """What the run remembers, as the styles read it."""
    field = search.field
    texts, critiques = [], []
    for number, draft in enumerate(field.drafts):
        found = services.journal.load(DRAFTED, draft.id)
        screened = field.screenings.get(draft.id)
        if found is None or not found.source:
            continue
        if screened is not None and screened.z is not None:
            texts.append(ScoredText(draft=draft.id, text=found.summary[:_LONGEST], z=screened.z))
        if draft.reason is not None:
            critiques += [
                Critique(draft=draft.id, cluster=c, number=number, text=f"{found.summary} {reason_text(draft.reason)}")
                for c in draft.clusters
            ]
    pieces = []
    for place, part in enumerate(field.parts):
        kept = services.journal.load(DRAFTED, part.draft)
        if kept is not None:
            pieces.append(Piece(draft=part.draft, text=kept.summary[:_LONGEST], similarity=float(place)))
    return Memory(critiques=tuple(critiques), texts=tuple(texts), pieces=tuple(pieces))


def _shown(shown: Shown) -> str:
    if not shown.items:
        return ""
    rows = [f"[{item.of}] {item.text}" for item in shown.items]
    return f"{shown.heading}: {' | '.join(rows)}"
