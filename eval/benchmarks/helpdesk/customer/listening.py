"""Understands what an agent says, in any wording: which facts it asks for, what it wants confirmed, how it ends.

Works sentence by sentence: a fact counts as asked for only in a sentence that asks (a question, "please tell me",
"I'd need"), so that an agent may mention an email without the customer repeating it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sigmaloop.eval.benchmarks.helpdesk.customer import wordings
from sigmaloop.eval.benchmarks.helpdesk.plain_text import plain_lines, sentences_of

_LONGEST = 4000
"""Characters of an utterance that a customer listens to."""


@dataclass(frozen=True)
class Part:
    """A sentence of an utterance."""

    text: str
    """In lower case."""
    asked: tuple[str, ...] = ()
    """Slots that it asks for."""
    claims: bool = False
    """Says that something has been carried out."""
    refuses: bool = False

    @property
    def proposing(self) -> bool:
        """May belong to a proposal: tells of nothing that is done and asks for nothing but a yes."""
        return not self.claims and not self.asked


@dataclass(frozen=True)
class Heard:
    """What a customer makes of an utterance."""

    parts: tuple[Part, ...] = ()

    asked: tuple[str, ...] = ()
    """Slots asked for, in the order of `wordings.SLOTS`."""
    alternatives: bool = False
    """The facts are asked for as alternatives ("your email or your name and zip")."""
    confirm: bool = False
    anything_else: bool = False
    completes: bool = False
    """Asks whether this very request is complete, before it is carried out."""
    farewell: bool = False
    done: bool = False
    """Claims that something has been carried out."""
    refused: bool = False
    not_found: bool = False
    transfer: bool = False
    """Offers to hand over to somebody else."""
    hold: bool = False
    greeting: bool = False
    more: bool = False
    """Asks for details without naming any."""
    question: bool = False
    asks_unknown: bool = False
    """A question for information that no slot stands for."""
    informs: bool = False
    """States something."""
    proposes: bool = False
    """States what it would do or is about to do."""
    words: int = 0


IDENTITY = ("email", "name", "zip", "birth_date", "phone")

_OVERRIDES = (
    ("payment", "address", r"refund|money"),
    ("payment", "date", r"refund|money"),
    ("address", "zip", r"street|city|new|moved|deliver"),
    ("address", "which", r"where .{0,40}(?:deliver|ship)"),
    ("passenger", "name", r""),
    ("passenger", "abroad", r""),
    ("birth_date", "date", r""),
    ("bill", "payment", r"(?:which|what) (?:\w+ )?(?:bill|month|invoice|charge)"),
    ("which", "phone", r"\blines?\b|which|working|\b(?:the|its|that) (?:phone )?number"),
    ("which", "name", r"who (?:uses|is using|owns|has)"),
    ("email", "address", r"e-?mail address"),
    ("bags", "amount", r""),
    ("symptom", "tried", r"what (?:exactly )?happens"),
    ("reason", "symptom", r"wrong with (?:it|the item|them)"),
)
"""(kept, dropped, where): of two facts that a sentence seems to ask for, the one that is meant."""


def listen(text: str) -> Heard:
    """What is asked, claimed and offered in an utterance."""
    spoken = plain_lines(text[:_LONGEST])
    sentences = _joined(sentences_of(spoken))
    every = _asking(sentences)
    asked_text = "\n".join(sentences[i] for i in every)
    completes = any(wordings.ELSE.search(s) and wordings.COMPLETES.search(s) for s in sentences)
    anything_else = any(wordings.ELSE.search(s) and not wordings.COMPLETES.search(s) for s in sentences)
    places = [i for i in every if not wordings.ELSE.search(sentences[i])]
    asking = [sentences[i] for i in places]
    wanted = {i: _wanted(sentences, i) for i in places if not _is_yes_or_no(sentences[i])}
    slots = tuple(slot for slot in wordings.SLOTS if any(slot in here for here in wanted.values()))
    parts = tuple(
        Part(s, wanted.get(i, ()), claims="?" not in s and _claims(s), refuses=_refuses(s))
        for i, s in enumerate(sentences)
    )
    if any(wordings.IDENTIFY.search(s) for s in asking) and not any(slot in (*IDENTITY, "which") for slot in slots):
        slots = ("identity", *slots)
    confirm = any(_wants_yes(s) for s in asking if "?" in s) or any(
        wordings.CONFIRM_ANYWHERE.search(s) and not wordings.ELSE.search(s) for s in sentences
    )
    statements = [sentence for sentence in sentences if "?" not in sentence]
    refused = any(part.refuses for part in parts)
    regrets = wordings.REGRETS.search(spoken) is not None and not slots
    return Heard(
        parts=parts,
        asked=slots,
        alternatives=bool(wordings.OR.search(asked_text)),
        confirm=confirm,
        anything_else=anything_else,
        completes=completes,
        farewell=any(wordings.FAREWELL.search(sentence) for sentence in statements),
        done=any(part.claims for part in parts),
        refused=(refused or regrets) and not any(slot in IDENTITY for slot in slots),
        not_found=any(wordings.NOT_FOUND.search(sentence) for sentence in sentences),
        transfer=any(wordings.TRANSFER.search(sentence) for sentence in sentences),
        hold=any(wordings.HOLD.search(sentence) for sentence in statements),
        greeting=any(wordings.GREETING.search(sentence) for sentence in sentences),
        more=any(wordings.MORE.search(sentence) for sentence in asking),
        question="?" in spoken,
        asks_unknown=any(wordings.UNKNOWN.search(sentence) for sentence in asking),
        informs=any(len(sentence.split()) > 3 or re.search(r"\d", sentence) for sentence in statements),
        proposes=any(wordings.PROPOSES.search(sentence) for sentence in statements),
        words=len(re.findall(r"[a-z]{2,}", spoken)),
    )


def _asking(sentences: list[str]) -> list[int]:
    """Places of the sentences that ask; the elements of a list belong to the sentence that announces it."""
    places, announced = [], False
    for i, sentence in enumerate(sentences):
        element = re.match(r"(?:[-•]|\d[.)])\s", sentence) is not None
        if (element and announced) or (not element and wordings.ASKS.search(sentence)):
            places.append(i)
        if not element:
            announced = sentence.endswith(":") and bool(wordings.ASKS.search(sentence))
    return places


def _joined(sentences: list[str]) -> list[str]:
    """A question and its second half, "Or ...?", as one sentence."""
    joined: list[str] = []
    for sentence in sentences:
        if joined and joined[-1].endswith("?") and sentence.startswith("or ") and "?" in sentence:
            joined[-1] += f" {sentence}"
        else:
            joined.append(sentence)
    return joined


def _wanted(sentences: list[str], i: int) -> tuple[str, ...]:
    """What a sentence asks for; "which one?" behind a list of payment methods asks for one of them."""
    if i and wordings.PICK.search(sentences[i]) and wordings.METHODS.search(sentences[i - 1]):
        found = set(_slots([sentences[i]])) - {"which"} | {"payment"}
        return tuple(slot for slot in wordings.SLOTS if slot in found)
    return _slots([sentences[i]])


def _slots(sentences: list[str]) -> tuple[str, ...]:
    """What the sentences ask for, in the order of `wordings.SLOTS`."""
    slots: set[str] = set()
    for sentence in sentences:
        here = {slot for slot, pattern in wordings.SLOTS.items() if pattern.search(sentence)}
        for kept, dropped, pattern in _OVERRIDES:
            if kept in here and dropped in here and re.search(pattern, sentence):
                here.discard(dropped)
        slots |= here
    return tuple(slot for slot in wordings.SLOTS if slot in slots)


def without_slots(sentence: str, slots: Sequence[str]) -> str:
    """A sentence without the words that ask for these slots."""
    for slot in slots:
        sentence = wordings.SLOTS[slot].sub(" ", sentence)
    return sentence


def _is_yes_or_no(sentence: str) -> bool:
    """Whether it only wants a yes: "Shall I refund it to your card?", but not "..., or to the gift card?"."""
    return "?" in sentence and _wants_yes(sentence) and not wordings.OPEN.search(sentence)


def _wants_yes(sentence: str) -> bool:
    if not wordings.CONFIRM.search(sentence) or (
        wordings.ABOUT_YOU.search(sentence) and not wordings.GO.search(sentence)
    ):
        return False
    return (
        not wordings.OPEN.search(sentence)
        or wordings.GO.search(sentence) is not None
        or (not _slots([sentence]) and not wordings.WH.search(sentence))
    )


def _refuses(sentence: str) -> bool:
    return wordings.REFUSED.search(sentence) is not None and not wordings.ONLY_FIRST.search(sentence)


def _claims(sentence: str) -> bool:
    match = wordings.DONE.search(sentence)
    return match is not None and not wordings.NOT_YET.search(sentence[: match.end()])
