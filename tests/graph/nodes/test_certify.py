"""The end of a run alone: both splits, one seal, the same words however often."""

from __future__ import annotations

from typing import Any

import pytest
from conftest_nodes import begun, kept

from sigmaloop.graph import events
from sigmaloop.graph.nodes.certify import certify
from sigmaloop.graph.nodes.conclude import learn, promote
from sigmaloop.memory.facts import Certified, TestOpened


def test_both_splits_are_certified_and_the_seal_breaks_once(loop: Any) -> None:
    kept(loop).go(promote, learn, certify)
    journal = loop.services.journal
    assert [fact.certificate.split for fact in journal.read(Certified)] == ["validation", "test"]
    assert journal.read(Certified)[0].certificate.difference == 1.0
    assert journal.read(TestOpened)[0].agents[-1] == loop.state["incumbent"]
    loop.state.update(incumbent=loop.state["baseline"])
    state = loop.go(certify)
    assert state["reason"] == "validation_certified"
    assert any(isinstance(e, events.NotCertified) for e in loop.news)
    assert len([f for f in journal.read(Certified) if f.certificate.split == "test"]) == 1


@pytest.mark.parametrize("again", [1, 2])
def test_certifying_again_says_the_same(loop: Any, again: int) -> None:
    begun(loop)
    loop.go(*[certify] * (1 + again))
    assert len(loop.services.journal.read(Certified)) == 2
