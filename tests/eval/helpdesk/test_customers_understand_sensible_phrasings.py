"""Sixty and more sensible phrasings for each situation of a conversation, one a line in `phrasings/`.

They were written without a look at the customer's wordings, which then learned from what was lost: of the first 377
they knew 82 %, of 120 that were written after that 93 %. At least 95 % of each file must be understood: not every
phrasing in the world can be, but a change of the wordings that loses a few shows here.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from helpdesk_customers import CASES, IDENTITY, customer

from sigmaloop.eval.benchmarks.helpdesk.customer.customer import YES

FOLDER = Path(__file__).parent / "phrasings"
DONE = "Your mug is on its way back and I have refunded $12.50."


def told(answer: str, case: str) -> set[str]:
    """The facts that an answer holds."""
    return {slot for slot, sentence in {**IDENTITY, **CASES[case].facts}.items() if sentence in answer}


def identity(line: str) -> bool:
    wanted, _, said = line.partition(" | ")
    verification = "birth_date" if wanted == "birth_date" else "zip"
    return told(customer("trip", verification=verification).answer(said) or "", "trip") == set(wanted.split(","))


def which(line: str) -> bool:
    case, _, said = line.partition(" | ")
    return "which" in told(customer(case).answer(said) or "", case)


def payment(said: str) -> bool:
    return "payment" in told(customer().answer(said) or "", "return")


def agreement(said: str) -> bool:
    """It agrees, and to another customer's correction it is an opening, too."""
    correction = "Yes, but please refund it to my gift card."
    return customer().answer(said) in YES and customer(correction=correction).answer(said) == correction


def anything_else(said: str) -> bool:
    """The second wish comes, alone and behind a report."""
    later = CASES["trip"].later
    speaker = customer(second="close")
    speaker.answer(DONE)
    return later in (speaker.answer(said) or "") and later in (customer(second="close").answer(f"{DONE} {said}") or "")


def refusal(said: str) -> bool:
    return customer("refused").answer(said) == CASES["refused"].insists[0]


SITUATIONS: dict[str, Callable[[str], bool]] = {
    check.__name__: check for check in (identity, which, payment, agreement, anything_else, refusal)
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_nearly_all_phrasings_of_a_situation_are_understood(situation: str) -> None:
    lines = (FOLDER / f"{situation}.txt").read_text(encoding="utf-8").splitlines()
    lost = [line for line in lines if not SITUATIONS[situation](line)]
    assert len(set(lines)) == len(lines) >= 60
    assert len(lost) <= 0.05 * len(lines), lost
