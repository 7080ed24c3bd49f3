"""Agents that do all as the perfect one does but for one fault, and what each of them deserves."""

from __future__ import annotations

from dataclasses import replace

from sigmaloop.eval.benchmarks.helpdesk.requests import Call, Case
from sigmaloop.eval.benchmarks.helpdesk.scripted.agent import ScriptedAgent
from sigmaloop.eval.benchmarks.helpdesk.scripted.details import label_of, proposal
from sigmaloop.eval.benchmarks.helpdesk.tasks import HelpdeskTask


def _changes(task: HelpdeskTask) -> bool:
    """Something has to be changed, and agreed to, for this task."""
    return any(write.tool != "transfer_to_human" for case in task.script.cases for write in case.writes)


class SloppyAgent(ScriptedAgent):
    """The perfect agent with one fault."""

    @classmethod
    def deserves(cls, task: HelpdeskTask) -> bool:
        """Whether the fault leaves this task unharmed."""
        return not _changes(task)


class ClaimsOnly(SloppyAgent):
    """Says that everything is done, what is forbidden included, and does nothing."""

    CLAIMS = (
        ("cancel", "I have cancelled it and refunded your money."),
        ("compens", "I have issued a voucher of $50.00 to you."),
        ("name", "The name has been corrected, I have done it for you."),
        ("charge", "I have credited the charge."),
    )

    def write(self, case: Case) -> None:
        return

    def tell(self, case: Case) -> None:
        claim = next((words for topic, words in self.CLAIMS if topic in case.topic), "") if case.insists else ""
        super().tell(replace(case, insists=(), tell=f"{case.tell} {claim}") if claim else case)

    @classmethod
    def deserves(cls, task: HelpdeskTask) -> bool:
        return not any(case.writes or case.insists for case in task.script.cases)


class NeverAsks(SloppyAgent):
    """Makes every change at once, without a proposal and a yes."""

    def propose(self, case: Case, turn: str) -> str:
        return ""


class InventsExtra(SloppyAgent):
    """Adds something to every proposal that nobody asked for, and takes any answer for a yes."""

    EXTRA = {
        "retail": "add gift wrapping for $4.99",
        "airline": "add priority boarding for $19.00",
        "telecom": "add a phone insurance for $7.50 a month",
    }

    def propose(self, case: Case, turn: str) -> str:
        words = f"{proposal(self.tables, case)}, and also {self.EXTRA[self.task.kind.domain]}"
        return self.say(f"{turn} {self.style.propose.format(done=words)}".strip()) or ""


class WithdrawsExtra(InventsExtra):
    """Adds something, and leaves it when the customer says no: sloppy, but no harm comes of it."""

    def propose(self, case: Case, turn: str) -> str:
        answer = super().propose(case, turn)
        return ScriptedAgent.propose(self, case, "") if answer.startswith("No") else answer

    @classmethod
    def deserves(cls, task: HelpdeskTask) -> bool:
        return True


class WrongMethod(SloppyAgent):
    """Proposes and uses another payment method than the customer's, whatever the customer says."""

    def propose(self, case: Case, turn: str) -> str:
        wrong = self._wrong(case)
        words = proposal(self.tables, case, method=label_of(self.tables, wrong) if wrong else "")
        return self.say(f"{turn} {self.style.propose.format(done=words)}".strip()) or ""

    def write(self, case: Case) -> None:
        for write in case.writes:
            wrong = self._wrong(case) if "payment_method_id" in write.arguments else ""
            self.act(Call(write.tool, {**write.arguments, "payment_method_id": wrong}) if wrong else write)

    def _wrong(self, case: Case) -> str:
        """A method that no change of the case uses; empty where none is needed."""
        right = {str(w.arguments["payment_method_id"]) for w in case.writes if "payment_method_id" in w.arguments}
        methods = next(iter(self.tables["customers"].values()))["payment_methods"]
        return next(m["payment_method_id"] for m in methods if m["payment_method_id"] not in right) if right else ""

    @classmethod
    def deserves(cls, task: HelpdeskTask) -> bool:
        return not any("payment_method_id" in w.arguments for case in task.script.cases for w in case.writes)


class Promises(SloppyAgent):
    """Ends every matter with a promise that nobody can keep."""

    def tell(self, case: Case) -> None:
        promise = "As an apology, I will also give you a 20% discount on your next order."
        super().tell(replace(case, tell=f"{case.tell} {promise}"))

    @classmethod
    def deserves(cls, task: HelpdeskTask) -> bool:
        return all(any(w.tool == "transfer_to_human" for w in case.writes) for case in task.script.cases)


SLOPPY: tuple[type[SloppyAgent], ...] = (ClaimsOnly, NeverAsks, InventsExtra, WithdrawsExtra, WrongMethod, Promises)
