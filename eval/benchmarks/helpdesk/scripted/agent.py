"""The perfect agent: it knows the changes that are to be made, and talks to the customer only through `say`.

A customer that answers something else than what was asked for shows here as a lost task: whatever the agent needs to
know must be in an answer, and every change must have been agreed to.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from sigmaloop.eval.benchmark import Score
from sigmaloop.eval.benchmarks.helpdesk.domains.desks import DESKS
from sigmaloop.eval.benchmarks.helpdesk.episode import HelpdeskEpisode
from sigmaloop.eval.benchmarks.helpdesk.requests import Call, Case
from sigmaloop.eval.benchmarks.helpdesk.scripted.details import proposal
from sigmaloop.eval.benchmarks.helpdesk.scripted.styles import Style
from sigmaloop.eval.benchmarks.helpdesk.tasks import HelpdeskTask

NEEDED: dict[str, tuple[str, ...]] = {
    "cancel_order": ("reason",),
    "return_items": ("item", "payment"),
    "exchange_items": ("variant", "payment"),
    "modify_items": ("variant", "payment"),
    "change_order_address": ("address",),
    "update_profile_address": ("address",),
    "change_flights": ("date", "payment"),
    "change_cabin": ("payment",),
    "add_bags": ("bags", "payment"),
    "add_insurance": ("leg", "payment"),
    "rename_passenger": ("passenger",),
    "book_flight": ("date", "passenger", "payment"),
    "pay_bill": ("payment",),
    "add_data": ("amount",),
    "change_plan": ("plan",),
    "credit_charge": ("bill",),
    "suspend_line": ("reason",),
    "reset_apn": ("symptom",),
    "set_roaming": ("abroad",),
}
"""What must be asked before a change, by its tool."""


class Lost(Exception):
    """The customer did not say what it was asked for, twice."""


class ScriptedAgent:
    """One conversation of the perfect agent; the sloppy ones change one step of it."""

    def __init__(self, task: HelpdeskTask, style: Style) -> None:
        self.task, self.style = task, style
        self.tables = json.loads(task.snapshot)
        self.episode = HelpdeskEpisode(task, DESKS[task.kind.domain])
        self.log: list[tuple[str, str | None]] = []
        """What it said, and what the customer answered."""
        self._known: set[tuple[int, str]] = set()

    def play(self) -> Score:
        """The whole conversation; the score of the episode."""
        try:
            self.identify()
            self.serve()
        except Lost:
            pass
        return self.episode.score()

    # talking

    def say(self, text: str) -> str | None:
        answer = self.episode.say(text)
        self.log.append((text, answer))
        return answer

    def hear(self, question: str, wanted: Iterable[str], again: str = "") -> str:
        """The answer to a question, once it holds all sentences that it must; asked twice at most."""
        for text in (question, again or f"Sorry, once more: {question}"):
            answer = self.say(text) or ""
            if all(sentence in answer for sentence in wanted):
                return answer
        raise Lost(question)

    def act(self, call: Call) -> None:
        """A call, again where the system is busy."""
        result = self.episode.act(call.tool, dict(call.arguments))
        if "busy" in result:
            self.episode.act(call.tool, dict(call.arguments))

    # the customer

    def identify(self) -> None:
        who, script = next(iter(self.tables["customers"].values())), self.task.script
        if script.identity["email"] not in script.opening:
            self.hear(self.style.email, [script.identity["email"]])
        if "old_email" in self.task.twists:
            self.episode.act("find_customer", {"email": f"old.{who['email']}"})
            self.hear(self.style.not_found, [script.identity["name"], script.identity["zip"]])
        self.act(self.task.calls[0])
        if "signed_in" not in self.task.twists:
            proof = script.verification
            self.hear(self.style.verify[proof], [script.identity[proof]])
            self.act(self.task.calls[1])
        self.act(self.task.calls[2])

    def serve(self) -> None:
        cases, told, number = self.task.script.cases, 2 if self.task.script.second == "opening" else 1, 0
        while number < told:
            self.handle(number, cases[:told])
            number += 1
            if number == told:
                answer = self.say(self.style.more)
                if answer is None:
                    return
                told += number < len(cases) and cases[number].later in answer
        self.say(self.style.bye)

    # a matter

    def handle(self, number: int, told: Sequence[Case]) -> None:
        case = told[number]
        turn = self.style.turn.format(called=case.called) if number else ""
        self.ask(number, told, turn)
        for read in case.reads:
            self.act(read)
        if any(write.tool == "transfer_to_human" for write in case.writes):
            self.act(case.writes[0])
            return
        if case.confirm:
            self.propose(case, turn if number and not self.needs(case) else "")
        self.write(case)
        self.tell(case)

    def needs(self, case: Case) -> list[str]:
        """The slots that it has to ask for."""
        tool = case.writes[0].tool if case.writes else ""
        slots = ["which"] if "which" in case.facts and tool not in ("book_flight", "update_profile_address") else []
        return [*slots, *(slot for slot in NEEDED.get(tool, ()) if slot in case.facts)]

    def ask(self, number: int, told: Sequence[Case], turn: str) -> None:
        cases = range(number, len(told)) if self.style.together else (number,)
        questions = [(i, slot) for i in cases for slot in self.needs(told[i]) if (i, slot) not in self._known]
        if not questions:
            return
        if self.style.together:
            groups = [self._together(told[i], [slot for j, slot in questions if j == i]) for i in cases]
            wanted = [told[i].facts[slot] for i, slot in questions]
            self.hear(" ".join([turn, *filter(None, groups)]).strip(), wanted)
        else:
            for position, (i, slot) in enumerate(questions):
                question = self.question(told[i], slot)
                text = f"{turn} {question}".strip() if position == 0 else question
                self.hear(text, [told[i].facts[slot]], f"About {told[i].called}: {question}")
        self._known.update(questions)

    def question(self, case: Case, slot: str) -> str:
        domain = self.task.kind.domain
        text = self.style.which[domain] if slot == "which" else self.style.ask[slot]
        return text.format(called=case.called)

    def _together(self, case: Case, slots: list[str]) -> str:
        """All questions about a matter, one sentence each."""
        questions = [self.question(case, slot) for slot in slots]
        if not questions:
            return ""
        return " ".join([f"About {case.called}: {questions[0]}?", *(f"And {each}?" for each in questions[1:])])

    def propose(self, case: Case, turn: str) -> str:
        """Says what it would do and waits for a yes; a correction is one, too."""
        text = f"{turn} {self.style.propose.format(done=proposal(self.tables, case))}".strip()
        if case.correction:
            return self.hear(text, [case.correction], case.confirm)
        answer = self.hear(text, [""], case.confirm)
        if answer.startswith("No"):
            raise Lost(answer)
        return answer

    def write(self, case: Case) -> None:
        for write in case.writes:
            self.act(write)

    def tell(self, case: Case) -> None:
        """Reports, or refuses until the customer has accepted it."""
        if not case.insists:
            self.say(self.style.tell.format(done=case.tell))
            return
        answer = self.say(self.style.refuse.format(done=case.tell))
        for sentence in case.insists:
            if answer == sentence:
                answer = self.say(self.style.insist.format(done=case.tell))
