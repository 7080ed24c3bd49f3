"""The scripted customer: a small state machine with goals and facts that answers whatever it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sigmaloop.eval.benchmarks.helpdesk.customer.listening import IDENTITY, Heard, Part, listen, without_slots
from sigmaloop.eval.benchmarks.helpdesk.customer.matters import matters_in, pointed_at
from sigmaloop.eval.benchmarks.helpdesk.customer.proposals import objection
from sigmaloop.eval.benchmarks.helpdesk.dice import Dice
from sigmaloop.eval.benchmarks.helpdesk.requests import Case
from sigmaloop.eval.benchmarks.helpdesk.scoring import is_said
from sigmaloop.eval.benchmarks.helpdesk.things import Thing

MAX_TURNS = 30
"""Answers after which a customer gives up, whatever is left."""
MAX_LOST = 4
"""Utterances in a row that lead nowhere, after which it gives up."""

YES = ("Yes, please go ahead.", "Yes, please do.", "Yes, that's right, please go ahead.", "Yes, go ahead, please.")
MORE = ("Yes, one more thing: {}", "Yes, please, there is something else. {}", "Actually, yes. {}")
THANKS = ("Thank you.", "Great, thank you.", "Thanks a lot.")
WAIT = ("Sure, take your time.", "Okay, I'll wait.", "No problem.")
ACCEPTS = ("All right, then I'll leave it. Thank you.", "Okay, I understand. Thanks anyway.", "Hm, all right then.")
PUZZLED = (
    "Sorry, I'm not sure what you mean. {}",
    "I don't quite understand. {}",
    "Sorry, could you put that differently? {}",
)
UNKNOWN = ("I'm afraid I don't know that.", "Sorry, I can't tell you that.", "I don't know, sorry.")
NOTHING_MORE = "No, that's all for this one."
STAY = "No, please, I'd rather settle this with you."
DOUBT = "Are you sure? Please have another look."
USUAL = {
    "payment": "The payment method that I used before, please.",
    "reason": "No particular reason.",
    "tried": "I have tried the usual things, it didn't help.",
}
"""Answers that are true for every customer whose case does not say otherwise."""


@dataclass(frozen=True)
class Script:
    """What makes a customer: who it is, what it wants, and when it says so."""

    opening: str
    identity: Mapping[str, str]
    """Slots email, name, zip, birth_date, phone to the sentence that tells them."""
    verification: Literal["zip", "birth_date"]
    cases: Sequence[Case]
    second: Literal["none", "opening", "close"]
    voice: str
    """Seed of the wordings."""
    things: Sequence[Thing] = ()
    """All orders, reservations and lines of the customer's world."""


class Customer:
    """One conversation. `answer` returns what the customer says, or None when it has hung up."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._told = len(script.cases) if script.second == "opening" else 1
        """Cases that the agent has heard of."""
        self._focus: tuple[int, ...] = (0,)
        """The matters that are being talked about, the last-named one last."""
        self._of: tuple[tuple[int, ...], ...] = ()
        """The same for each sentence of the last utterance."""
        self.agreed: set[int] = set()
        """Matters for which the agent has a yes."""
        self._corrected: set[int] = set()
        self._insisted: dict[int, int] = {}
        self._turns = 0
        self._lost = 0
        self._thanked = False
        self._served = False
        """The agent has told, done or refused anything yet."""
        self.over = False

    def answer(self, text: str) -> str | None:
        self._turns += 1
        if self.over or self._turns > MAX_TURNS:
            self.over = True
            return None
        heard = listen(text)
        self._refocus(heard)
        self._served |= heard.done or heard.refused or self._informed(heard, text)
        reply = self._reply(heard)
        if reply is None or self._lost >= MAX_LOST:
            self.over = True
            return None
        return reply

    @property
    def _case(self) -> Case:
        return self._script.cases[self._focus[-1]]

    @property
    def _known(self) -> Sequence[Case]:
        """The matters that the agent has heard of."""
        return self._script.cases[: self._told]

    def _refocus(self, heard: Heard) -> None:
        """Follow the agent from sentence to sentence: to the matter that one names, or on with the last one."""
        places = []
        for part in heard.parts:
            self._focus = self._named(part) or self._focus
            places.append(self._focus)
        self._of = tuple(places)
        refusals = [place for part, place in zip(heard.parts, places, strict=True) if part.refuses]
        if heard.refused and refusals and not any(part.asked for part in heard.parts):
            self._focus = refusals[-1]  # what is offered in its place is nothing that the agent turns to

    def _informed(self, heard: Heard, text: str) -> bool:
        """The agent reports: behind the customer's yes, with what it wanted to know, or before asking for more."""
        told = any(is_said(need, [text]) for need in self._case.said)
        return told or (heard.informs and (heard.anything_else or (bool(self.agreed) and not heard.question)))

    def _named(self, part: Part) -> tuple[int, ...]:
        """The matters that a sentence names; a word that asks for a fact of the present matter names no other one."""
        bare = without_slots(part.text, [slot for slot in part.asked if slot in self._case.facts])
        return matters_in(part.text, self._known, bare=bare, settled=self.agreed, current=self._focus)

    def _reply(self, heard: Heard) -> str | None:
        """The first thing that fits, in order of how clearly the agent wants something."""
        waiting, self._lost = self._lost, 0
        facts = self._facts(heard)
        if heard.refused and not facts and not (heard.confirm and self._case.writes) and not heard.not_found:
            reply = self._refused(heard)
            if reply:
                return reply
        if heard.anything_else and not facts and (heard.done or not heard.confirm):
            return self._next(heard)
        if heard.transfer and heard.question:
            return self._transfer()
        if heard.completes:
            facts.append(NOTHING_MORE)
        parts = [*facts, *(self._confirm(heard) if heard.confirm else [])]
        if parts:
            self._thanked = False
            return " ".join(parts)
        if heard.greeting and heard.question and not heard.done:
            return self._case.later
        if heard.farewell:
            return None
        self._lost = waiting
        return self._no_question(heard)

    def _no_question(self, heard: Heard) -> str | None:
        """The agent asked nothing that the customer understands."""
        if heard.hold:
            self._lost += 1
            return self._pick(WAIT)
        if heard.done or heard.refused:
            if self._thanked:
                return None
            self._thanked = True
            return self._pick(ACCEPTS if heard.refused else THANKS)
        self._lost += 1
        if heard.more:
            return f"{self._case.later} {self._details()}".strip()
        if heard.asked or (heard.question and heard.asks_unknown):
            return self._pick(UNKNOWN)
        if heard.question or not heard.words:
            return self._pick(PUZZLED).format(self._case.later)
        if heard.proposes:
            return " ".join(self._confirm(heard))
        return None if self._thanked else "Okay."

    def _facts(self, heard: Heard) -> list[str]:
        """What the customer tells, in the order in which it is usually asked."""
        facts: list[str] = []
        told = [sentence for slot in heard.asked if slot not in IDENTITY for sentence in self._answers(heard, slot)]
        for sentence in (*self._identity(heard), *told):
            if sentence and sentence not in facts:
                facts.append(sentence)
        return facts

    def _answers(self, heard: Heard, slot: str) -> list[str]:
        """What it says about a slot for each matter that the agent asks it of."""
        places = [self._of[i] for i, part in enumerate(heard.parts) if slot in part.asked] or [self._focus]
        matters = list(dict.fromkeys(i for place in places for i in place))
        if len(matters) == 1:
            return [self._fact(slot, self._script.cases[matters[0]])]
        cases = [self._script.cases[i] for i in matters]
        return [f"For {case.called}: {self._fact(slot, case)}" for case in cases if self._fact(slot, case)]

    def _identity(self, heard: Heard) -> list[str]:
        who = self._script.identity
        slots = [slot for slot in IDENTITY if slot in heard.asked and slot in who]
        if "identity" in heard.asked:
            return [who["email"], who[self._script.verification]]
        if heard.not_found and (not slots or slots == ["email"]) and "which" not in heard.asked:
            prefix = ["I have no other email."] if slots else []
            return [*prefix, who["name"], who["zip"]] if slots or heard.asked == () else []
        if heard.alternatives and "email" in slots and not heard.not_found:
            return [who["email"]]
        if heard.not_found and (heard.alternatives or {"name", "zip"} <= set(slots)):
            slots = [slot for slot in slots if slot != "email"]
        if "which" in heard.asked and slots == ["phone"] and "which" in self._case.facts:
            return []
        return [who[slot] for slot in slots]

    def _fact(self, slot: str, case: Case) -> str:
        for each in (case, *self._known):
            if slot in each.facts:
                return each.facts[slot]
        return self._fact("which", case) if slot == "item" else USUAL.get(slot, "")

    def _details(self) -> str:
        slots = ("which", "item", "variant", "date")
        return " ".join(dict.fromkeys(self._case.facts[slot] for slot in slots if slot in self._case.facts))

    def _confirm(self, heard: Heard) -> list[str]:
        """A yes to what is proposed, with a correction where there is one to make; or what is wrong with it."""
        wrong = {i: self._objection(heard, i) for i in range(self._told)}
        answers = [wrong[i] or self._agree(i) for i in self._proposed(heard, wrong)]
        return [answer for answer in dict.fromkeys(answers) if answer] or [self._pick(YES)]

    def _proposed(self, heard: Heard, wrong: Mapping[int, str]) -> list[int]:
        """The matters of which a proposal speaks.

        Those that it points at; else those that its words fit, which the agent may have left to be understood: of the
        ones that it names and those that are still open, the first against which nothing is to be said.
        """
        parts = [part for part in heard.parts if part.proposing]
        firm = [i for part in parts for i in pointed_at(part.text, self._known, current=self._focus)]
        if firm:
            return list(dict.fromkeys(firm))
        named = [i for part in parts for i in self._named(part) if i not in self.agreed]
        rest = [i for i in range(self._told) if i not in self.agreed]
        order = list(dict.fromkeys((*named, *(i for i in self._focus if i in rest), *rest, self._focus[-1])))
        fitting = [i for i in order if not wrong[i] and self._script.cases[i].writes] or order[:1]
        if any(i in fitting for i in named):
            return [i for i in fitting if i in named]
        return [fitting[0], *(i for i in fitting[1:] if i in rest and not self._pending(i))]

    def _pending(self, matter: int) -> bool:
        """The customer has yet to correct a detail."""
        return bool(self._script.cases[matter].correction) and matter not in self._corrected

    def _objection(self, heard: Heard, matter: int) -> str:
        """What is wrong with the proposal as one for this matter; empty: nothing."""
        told = [thing for case in self._known for thing in case.things]
        others = [thing for thing in self._script.things if thing not in told]
        said = [part.text for part in heard.parts if part.proposing and self._may_be_about(part, matter)]
        case = self._script.cases[matter]
        return objection(case, self._known, others, said, pending=self._pending(matter))

    def _may_be_about(self, part: Part, matter: int) -> bool:
        return matter in (pointed_at(part.text, self._known, current=self._focus) or (matter,))

    def _agree(self, matter: int) -> str:
        """The yes to a matter: a correction, which is a yes as well, or nothing in particular."""
        self.agreed.add(matter)
        if not self._pending(matter):
            return ""
        self._corrected.add(matter)
        return self._script.cases[matter].correction

    def _refused(self, heard: Heard) -> str:
        """Insist as often as the case says; then accept, unless there is something else to answer."""
        count = self._insisted.get(self._focus[-1], 0)
        self._insisted[self._focus[-1]] = count + 1
        insists = self._case.insists or ((DOUBT,) if self._case.writes else ())
        if count < len(insists):
            return insists[count]
        if heard.anything_else or heard.confirm or heard.farewell or self._thanked:
            return ""
        self._thanked = True
        return self._pick(ACCEPTS)

    def _next(self, heard: Heard) -> str | None:
        """Asked for anything else: the next request, or the end."""
        if not self._served:
            return self._case.later
        if self._told < len(self._script.cases):
            self._focus = (self._told,)
            self._told += 1
            self._thanked = False
            return self._pick(MORE).format(self._case.later)
        return None

    def _transfer(self) -> str:
        if any(call.tool == "transfer_to_human" for call in self._case.writes):
            return "Yes, please do that."
        self._lost += 1
        return STAY

    def _pick(self, options: Sequence[str]) -> str:
        return Dice(self._script.voice, self._turns).pick(options)
