"""The interface of a policy: which gates an attempt goes through, and what its rollouts teach.

A policy is made from `Rules` and knows nothing else (`policies.make_policy`). It hands out stages (`finding.Stage`) for
an attempt, says which rollouts of the incumbent are still missing, and how the bank looks after the attempt was kept
or rejected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from sigmaloop.gate.bank import Bank
from sigmaloop.gate.finding import Pair, Stage
from sigmaloop.gate.promotion import Promotion
from sigmaloop.gate.rules import CONTROL_TRIALS, GATE_TRIALS, Rules
from sigmaloop.records import Rollout

Evidence = Mapping[str, Sequence[Rollout]]
"""An attempt's rollouts by stage: the candidate's of targets, regression, validation, promotion; the incumbent's of
`control`."""

History = Mapping[str, tuple[int, int]]
"""Passes and valid results by task of earlier agents: it orders rollouts and decides nothing."""


class Policy(Protocol):
    """What may be kept. All of it is pure."""

    rules: Rules

    def missing(self, bank: Bank, tasks: Sequence[str], suite: Sequence[str] = ()) -> tuple[Pair, ...]:
        """Rollouts of the incumbent that the bank needs before a candidate is compared with it."""

    def cluster_tasks(self, failing: Sequence[str], *, first_trial: int = GATE_TRIALS) -> Stage:
        """The failing traffic tasks that the change was made for, oldest first; the latest are tried."""

    def quarantined(self, members: Sequence[str], bank: Bank) -> tuple[str, ...]:
        """Suite members that the incumbent itself passes too rarely to count."""

    def suite(self, members: Sequence[str], bank: Bank, history: History, *, first_trial: int = GATE_TRIALS) -> Stage:
        """The regression suite."""

    def validation(
        self,
        tasks: Sequence[str],
        bank: Bank,
        history: History,
        *,
        seed: str,
        first_trial: int = GATE_TRIALS,
        control_trial: int = CONTROL_TRIALS,
    ) -> Stage:
        """The validation split, against the bank."""

    def promotion(
        self, known: Sequence[str], cluster_tasks: Sequence[str], *, first_trial: int = GATE_TRIALS
    ) -> Promotion:
        """Who of the known failures, oldest first, and of this attempt's targets joins the suite after a keep."""

    def after_keep(self, bank: Bank, evidence: Evidence, suite: Sequence[str] = ()) -> Bank:
        """The bank of the new incumbent; `suite`: its members before the keep."""

    def after_reject(self, bank: Bank, evidence: Evidence, z: float | None) -> Bank:
        """The incumbent's bank after an attempt that failed; `z` of its last look."""
