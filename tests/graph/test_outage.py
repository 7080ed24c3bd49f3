"""A model call that failed for good pauses its node, a resume tries it once; another model is told, then accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypedDict

import pytest
from chat_requests import ASK
from gateways import scripted_gateway
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command
from stub_endpoint import chat_answer

from sigmaloop.errors import ModelChanged, ModelUnavailable, StoreError, UpstreamError
from sigmaloop.graph.answering import JournalNames
from sigmaloop.graph.nodes.attempt import _approved
from sigmaloop.graph.outage import pausing, warn_of_cut_answers
from sigmaloop.graph.rollouts import RESUME
from sigmaloop.memory.facts import ModelAnswered
from sigmaloop.memory.journal import Journal
from sigmaloop.records import Candidate
from sigmaloop.tools.upstream.scripted import ScriptedModel

CANDIDATE = Candidate(
    id="A0001", batch=1, attempt=1, cluster_id="C001", parent="p", commit="c", agent="a", hypothesis="h",
    kind="prompt", summary="s", diff="d",
)  # fmt: skip


class State(TypedDict, total=False):
    reason: str


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite") as journal:
        yield journal


class OneNode:
    """A graph with one node that does this work, on a journal; each call goes on with it."""

    def __init__(self, work: Callable[..., dict[str, Any]], journal: Journal) -> None:
        services: Any = SimpleNamespace(journal=journal, gateway=scripted_gateway())
        guarded = pausing(work)
        loop = StateGraph(State)
        loop.add_node("node", lambda state: guarded(state, services, lambda event: None))
        loop.add_edge(START, "node")
        loop.add_edge("node", END)
        self._graph = loop.compile(checkpointer=InMemorySaver())
        self._config: Any = {"configurable": {"thread_id": "one"}}

    def go(self, answer: str | None = None) -> dict[str, Any]:
        """What it waits for now; what came out when it waits for nothing."""
        given: Any = {"reason": "begun"} if answer is None else Command(resume=answer)
        found = self._graph.invoke(given, self._config)
        waiting = self._graph.get_state(self._config).interrupts
        return dict(waiting[0].value) if waiting else dict(found)


def test_every_resume_tries_a_call_that_failed_once(journal: Journal) -> None:
    tries: list[int] = []

    def judge(state: Any, services: Any, emit: Any) -> dict[str, Any]:
        tries.append(len(tries))
        if len(tries) <= 3:
            raise ModelUnavailable(f"the endpoint refused the key, try {len(tries)}", status=503)
        return {"reason": "judged"}

    node = OneNode(judge, journal)
    for number in (1, 2, 3):
        waiting = node.go(None if number == 1 else RESUME)
        assert waiting["reason"] == "outage"
        assert (
            f"judge stopped at a model call that failed (such as: the endpoint refused the key, try {number})"
            in (waiting["message"])
        )
        assert "sigmaloop resume" in waiting["message"]
        assert len(tries) == number
    assert node.go(RESUME) == {"reason": "judged"}
    assert len(tries) == 4


@pytest.mark.parametrize(("answer", "reason"), [("approve", "True"), ("decline", "False")])
def test_the_answer_to_an_outage_is_not_taken_for_a_persons_opinion(journal: Journal, answer: str, reason: str) -> None:
    faults = [UpstreamError("down"), UpstreamError("still down")]

    def review(state: Any, services: Any, emit: Any) -> dict[str, Any]:
        if faults:
            raise faults.pop(0)
        return {"reason": str(_approved(CANDIDATE, "sound", []))}

    node = OneNode(review, journal)
    node.go()
    node.go(RESUME)
    assert node.go(RESUME)["question"] == "Keep A0001?"
    assert node.go(answer) == {"reason": reason}


def test_what_is_no_outage_passes(journal: Journal) -> None:
    def work(state: Any, services: Any, emit: Any) -> dict[str, Any]:
        raise StoreError("damaged")

    with pytest.raises(StoreError):
        OneNode(work, journal).go()


def test_another_model_pauses_once_and_is_accepted_by_going_on(journal: Journal) -> None:
    answering = ["big-2026-01-01"]

    def work(state: Any, services: Any, emit: Any) -> dict[str, Any]:
        names = JournalNames(journal)  # as when a run is opened
        names.meet("target", answering[0])
        names.meet("target", "big-2026-01-01")
        return {"reason": "done"}

    assert OneNode(work, journal).go() == {"reason": "done"}
    answering[0] = "another"
    node = OneNode(work, journal)
    waiting = node.go()
    assert waiting["reason"] == "model_changed"
    assert "'another', but this run's target was answered by 'big-2026-01-01' at first" in waiting["message"]
    assert node.go(RESUME) == {"reason": "done"}
    events = [event.payload for event in journal.events(ModelAnswered.kind)]
    assert events == [
        {"role": "target", "name": "big-2026-01-01", "first": True},
        {"role": "target", "name": "another", "first": False},
    ]


def test_a_name_that_nobody_was_told_of_is_refused_however_often_it_answers(journal: Journal) -> None:
    names = JournalNames(journal)
    names.meet("target", "one")
    names.meet("gate_judge", "other")  # each role has its own
    for opened in (names, JournalNames(journal)):
        with pytest.raises(ModelChanged):
            opened.meet("target", "other")
        opened.meet("target", "one")


def test_answers_that_are_cut_off_too_often_are_told_once(journal: Journal) -> None:
    cut = chat_answer(None)
    cut["choices"][0]["finish_reason"] = "length"
    told: list[Any] = []
    with scripted_gateway(ScriptedModel([*["fine"] * 100, *[cut] * 6])) as gateway:
        services: Any = SimpleNamespace(journal=journal, gateway=gateway)
        lease = gateway.lease("user", scope="s", seed=1)
        for number in range(106):
            assert lease.complete(ASK)["choices"], "an answer all the same"
            warn_of_cut_answers(services, told.append)
            assert len(told) == (number >= 102), "three of 103 are more than 2 %"
    assert "3 of 103 answers of the user were cut off" in told[0].message
    assert "--user-max-tokens" in told[0].message
