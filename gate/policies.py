"""The four policies by name."""

from __future__ import annotations

from sigmaloop.gate.measured import MeasuredPolicy
from sigmaloop.gate.policy import Policy
from sigmaloop.gate.reference import ReferencePolicy
from sigmaloop.gate.rules import Rules


def make_policy(rules: Rules) -> Policy:
    """The policy that the rules name."""
    return ReferencePolicy(rules) if rules.policy == "reference" else MeasuredPolicy(rules)
