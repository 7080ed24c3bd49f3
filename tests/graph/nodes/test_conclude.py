"""After the verdict, node by node: kept or reverted, promoted, learned, certified."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conftest_nodes import HELD_OUT, TRAIN, begun, kept, naming

from sigmaloop.graph import events
from sigmaloop.graph.nodes.attempt import propose, regression_gate, review, validation_gate
from sigmaloop.graph.nodes.conclude import keep, learn, promote, revert
from sigmaloop.memory.facts import AttemptEnded, Promoted, SuiteFull

BETTER = naming(*TRAIN, *HELD_OUT)


def test_a_kept_change_is_the_agent_now_and_its_score_the_bar(loop: Any) -> None:
    before = begun(loop).state["incumbent"]
    loop.services.engineer.texts.append(BETTER)
    state = loop.go(propose, regression_gate, validation_gate, review, keep)
    assert loop.services.versions.source(state["incumbent"]) == BETTER
    assert loop.services.versions.main() == state["incumbent"] != before
    assert state["kept"] is True
    assert state["best_micros"] == state["best_tasks"] * 1_000_000


def test_a_reverted_change_moves_nothing(loop: Any) -> None:
    begun(loop).services.engineer.texts.append(naming("other-1"))
    before = loop.state["incumbent"]
    state = loop.go(propose, regression_gate, revert)
    assert (state["kept"], state["incumbent"]) == (False, before)
    assert loop.services.versions.main() == before


def test_what_is_mended_joins_the_suite_and_resolves_its_cluster(loop: Any) -> None:
    kept(loop).go(promote)
    history, incumbent = loop.services.history, loop.state["incumbent"]
    failed = {fact.task_id for fact in loop.services.journal.read(Promoted)}
    assert failed == set(loop.state["failed"])
    assert {case.task_id for case in history.suite(incumbent)} == failed
    assert history.known_failures(incumbent) == []
    assert all(cluster.resolution_rate == 1 for cluster in history.clusters(incumbent).values())


def test_a_full_suite_takes_no_more_and_says_so(loop_with: Callable[..., Any]) -> None:
    loop = kept(loop_with(suite_cap=2))
    loop.go(promote)
    assert len(loop.services.journal.read(Promoted)) == 2
    full = loop.services.journal.read(SuiteFull)[0]
    assert (len(full.tasks), full.cap) == (4, 2)
    grown = next(e for e in loop.news if isinstance(e, events.SuiteGrown))
    assert (grown.tasks, grown.suite, grown.refused) == (2, 2, 4)


def test_a_full_suite_stays_as_it_is_at_the_next_keep(loop_with: Callable[..., Any]) -> None:
    loop = kept(loop_with(suite_cap=2))
    loop.go(promote, learn)
    first = loop.services.history.suite(loop.state["incumbent"])
    loop.go(promote)
    assert loop.services.history.suite(loop.state["incumbent"]) == first
    assert len(loop.services.journal.read(Promoted)) == 2, "the cap counts what is there already, once"


def test_the_latest_failures_are_known_last(loop: Any) -> None:
    begun(loop)
    history, incumbent = loop.services.history, loop.state["incumbent"]
    first = history.known_failures(incumbent)
    assert sorted(first) == sorted(loop.state["failed"])
    begun_again(loop)
    again = history.known_failures(incumbent)
    newest = [task for task in again if task in set(loop.state["failed"])]
    assert again[-len(newest) :] == newest, "what failed again is last"
    assert len(again) == len(set(again))


def begun_again(loop: Any) -> None:
    from sigmaloop.graph.nodes.observe import cluster, mine, simulate

    loop.go(simulate)
    loop.mine(mine)
    loop.go(cluster)


def test_every_attempt_is_one_line_of_the_ledger_and_one_learning(loop: Any) -> None:
    begun(loop).services.engineer.texts.append(naming("other-1"))
    state = loop.go(propose, regression_gate, revert, learn)
    entry = loop.services.journal.read(AttemptEnded)[0].entry
    assert (entry.outcome, entry.gate, entry.reason) == ("rejected", "cluster_tasks", "cluster_tasks_below_floor")
    assert entry.rollouts == entry.verdicts[0].evaluated
    learning = loop.services.history.learnings(state["incumbent"])[0]
    assert (learning.candidate_id, learning.outcome) == ("A0001", "rejected")
    assert "A0001" in loop.services.paths.learnings.read_text()
    assert state["cluster_id"] is not None, "there is still something to fix"


def test_learning_again_writes_nothing_new(loop: Any) -> None:
    begun(loop).services.engineer.texts.append(naming("other-1"))
    loop.go(propose, regression_gate, revert, learn)
    head = loop.services.journal.head()
    loop.go(learn)
    assert loop.services.journal.head() == head


def test_an_attempt_that_ends_otherwise_after_a_fork_has_a_line_of_its_own(loop: Any) -> None:
    kept(loop).go(promote, learn)
    before = loop.services.history.candidate("A0001").parent
    loop.state.update(incumbent=before, kept=False)
    loop.go(revert, learn)
    endings = [(fact.id, fact.entry.outcome) for fact in loop.services.journal.read(AttemptEnded)]
    assert endings == [("ledger:A0001", "kept"), ("ledger:A0001:1", "rejected")]
