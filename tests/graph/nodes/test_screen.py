"""The search, node by node: drafts side by side, screening, merging, the gate's word, and what is learned from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conftest_nodes import AGENT, HELD_OUT, TRAIN, code_word, naming

from sigmaloop.graph import routing
from sigmaloop.graph.nodes.attempt import propose, regression_gate, review, validation_gate
from sigmaloop.graph.nodes.conclude import keep, learn, promote, revert
from sigmaloop.graph.nodes.observe import baseline, cluster, mine, simulate
from sigmaloop.graph.nodes.screen import screen
from sigmaloop.graph.rebuild import rebuilt
from sigmaloop.graph.search_facts import CandidateChosen, DraftsWritten, GroupsScreened, RoundOpened, SlotsAsked
from sigmaloop.graph.searching import Search
from sigmaloop.memory.facts import AttemptEnded, Promoted

EVEN = [task for task in (*TRAIN, *HELD_OUT) if int(task[-1]) % 2 == 0]
ODD = [task for task in (*TRAIN, *HELD_OUT) if int(task[-1]) % 2]
BAD = AGENT + "nothing = 1\n"


def adding(name: str, *tasks: str) -> str:
    """A part that can be merged with another's: one more setting, which passes these tasks."""
    return AGENT + f"{name} = {' '.join(map(code_word, tasks))!r}\n"


@pytest.fixture
def searched(loop_with: Callable[..., Any]) -> Callable[..., Any]:
    """A loop whose first round is open: two clusters, even and odd."""

    def make(strategy: str, **changes: Any) -> Any:
        loop = loop_with(**{"strategy": strategy, "rollouts": 9_000, "batch_size": 10, **changes})
        loop.go(baseline, simulate)
        loop.mine(mine)
        loop.go(cluster)
        return loop

    return make


def draft(loop: Any, *texts: str | None, backwards: bool = False) -> None:
    """What the engineers hand in, slot by slot; `backwards`: the last slot answers first."""
    sends = routing.to_engineers(loop.state)
    assert len(sends) == len(texts)
    pairs = list(zip(sends, texts, strict=True))
    for send, text in pairs[::-1] if backwards else pairs:
        loop.services.engineer.texts.append(text)
        assert propose(send.arg, loop.services, loop.news.append) == {}, "side by side nobody writes to the state"


def gates(loop: Any) -> None:
    loop.go(regression_gate)
    if loop.state["outcome"] == "passed":
        loop.go(validation_gate)
    if loop.state["outcome"] == "passed":
        loop.go(review, keep, promote, learn)
    else:
        loop.go(revert, learn)


def parts(loop: Any) -> tuple[str, str]:
    """Parts for the slots of the first two clusters, in their order."""
    search = Search(loop.services, loop.state["search"])
    clusters = loop.services.history.clusters(loop.state["incumbent"])
    titles = [clusters[slot.clusters[0]].failures[0].mechanism for slot in search.asked[:2]]
    both = {"even": adding("even_notes", *EVEN), "odd": adding("odd_notes", *ODD)}
    return both[titles[0]], both[titles[1]]


@pytest.mark.parametrize("backwards", [False, True])
def test_parts_are_merged_judged_once_and_every_one_is_credited(searched: Callable[..., Any], backwards: bool) -> None:
    loop = searched("compose")
    asked = len(loop.state["slots"])
    first, second = parts(loop)
    texts = [first, second] + [BAD + f"n{k} = 1\n" for k in range(asked - 2)]
    draft(loop, *texts, backwards=backwards)
    while (state := loop.go(screen))["outcome"] == "redraft":
        draft(loop, *(BAD + f"again{k}{loop.state['search'][-4:]} = 1\n" for k in range(len(state["slots"]))))
    assert state["outcome"] == "ready"
    gates(loop)
    (entry,) = [fact.entry for fact in loop.services.journal.read(AttemptEnded)]
    assert (entry.outcome, len(entry.parts)) == ("kept", 2)
    kept = loop.services.versions.source(loop.state["incumbent"])
    assert "even_notes" in kept
    assert "odd_notes" in kept
    clusters = loop.services.history.clusters(loop.state["incumbent"])
    assert {clusters[part.cluster_id].kept for part in entry.parts} == {1}
    assert len(Search(loop.services, loop.state["search"]).field.parts) == 2


def through_screening(loop: Any, *texts: str | None) -> None:
    """Drafts of a round until a candidate is there; who is asked again hands in something that mends nothing."""
    draft(loop, *texts)
    again = 0
    while loop.go(screen)["outcome"] == "redraft":
        again += 1
        draft(loop, *(BAD + f"again{again}_{k} = 1\n" for k in range(len(loop.state["slots"]))))


def useless(loop: Any, known: int) -> list[str]:
    return [BAD + f"n{k} = 1\n" for k in range(len(loop.state["slots"]) - known)]


def test_a_rejected_bundle_is_bisected_and_no_cluster_is_charged_until_a_part_stands_alone(
    searched: Callable[..., Any],
) -> None:
    loop = searched("compose")
    names = [task for task in TRAIN if int(task[-1]) % 2 == 0], [task for task in TRAIN if int(task[-1]) % 2]
    first, _ = parts(loop)
    even, odd = (adding("even_notes", *names[0]), adding("odd_notes", *names[1]))  # nothing of validation
    pair = (even, odd) if "even" in first else (odd, even)
    loop.services.judge.veto = True  # whatever passes the gates is declined
    through_screening(loop, *pair, *useless(loop, 2))
    gates(loop)
    bundle = loop.services.journal.read(AttemptEnded)[-1].entry
    assert (bundle.outcome, len(bundle.parts)) == ("rejected", 2)
    clusters = loop.services.history.clusters(loop.state["incumbent"])
    assert {clusters[part.cluster_id].attempts for part in bundle.parts} == {0}
    assert routing.after_learn(loop.state) == "regroup"
    assert loop.go(screen)["outcome"] == "ready"
    half = loop.services.journal.read(CandidateChosen)[-1].candidate.group.drafts
    assert half == (bundle.parts[0].draft,), "the better half goes first"
    gates(loop)
    alone = loop.services.journal.read(AttemptEnded)[-1].entry
    assert (alone.outcome, len(alone.parts)) == ("rejected", 1)
    assert loop.services.history.clusters(loop.state["incumbent"])[alone.cluster_id].attempts == 1


def test_screening_again_after_a_crash_writes_and_pays_nothing_twice(searched: Callable[..., Any]) -> None:
    loop = searched("compose")
    before = dict(loop.state)
    through_screening(loop, *parts(loop), *useless(loop, 2))
    length, rollouts = loop.services.journal.length(), len(loop.services.journal.rollouts())
    after, calls = dict(loop.state), len(loop.services.engineer.briefs)
    loop.state = before  # the process died before any checkpoint behind the first Send was saved
    for send in routing.to_engineers(loop.state):
        propose(send.arg, loop.services, loop.news.append)
    while loop.go(screen)["outcome"] == "redraft":
        for send in routing.to_engineers(loop.state):
            propose(send.arg, loop.services, loop.news.append)
    assert {**after, "journal": 0} == {**loop.state, "journal": 0}
    assert (loop.services.journal.length(), len(loop.services.journal.rollouts())) == (length, rollouts)
    assert len(loop.services.engineer.briefs) == calls, "the engineer was asked again"


def test_slots_are_journalled_before_anybody_is_asked(searched: Callable[..., Any]) -> None:
    loop = searched("portfolio")
    (opened,) = loop.services.journal.read(RoundOpened)
    (asked,) = loop.services.journal.read(SlotsAsked)
    assert asked.after == opened.id
    assert loop.state["search"] == asked.id
    assert loop.state["slots"] == [slot.draft_id for slot in asked.slots]
    assert asked.slots[0].draft_id == "R0001.01.1"
    assert loop.services.engineer.briefs == []


def test_a_draft_that_nobody_can_use_goes_back_with_the_reason(searched: Callable[..., Any]) -> None:
    loop = searched("portfolio")
    broken = "def run(session:\n"
    draft(loop, None, broken, *useless(loop, 2))
    state = loop.go(screen)
    (written,) = loop.services.journal.read(DraftsWritten)
    assert [d.fate for d in written.drafts[:2]] == ["fallen", "fallen"]
    assert state["outcome"] == "redraft"
    assert {"R0001.01.2", "R0001.02.2"} <= set(state["slots"])
    draft(loop, *(BAD + f"again{k} = 1\n" for k in range(len(state["slots"]))))
    told = loop.services.engineer.briefs[-len(state["slots"]) :]
    assert any("handed in nothing" in brief.advice for brief in told)


def test_of_two_drafts_that_say_the_same_the_first_stays(searched: Callable[..., Any]) -> None:
    loop = searched("portfolio")
    draft(loop, *(adding("notes", *EVEN) for _ in loop.state["slots"]))
    loop.go(screen)
    fates = [d.fate for d in Search(loop.services, loop.state["search"]).field.drafts]
    assert fates[0] != "equal"
    assert set(fates[1:]) == {"equal"}


def test_screening_is_charged_and_stored_like_other_rollouts(searched: Callable[..., Any]) -> None:
    loop = searched("portfolio")
    through_screening(loop, *parts(loop), *useless(loop, 2))
    screened = loop.services.journal.read(GroupsScreened)
    paid = sum(fact.rollouts for fact in screened)
    search = Search(loop.services, loop.state["search"])
    assert paid > 0
    assert search.field.budget.spent == paid
    trials = {rollout.key.trial for rollout in loop.services.journal.rollouts()}
    assert any(trial >= 3_000_000 for trial in trials)
    validation = {r.task_id for r in loop.services.journal.rollouts() if r.key.trial >= 3_000_000}
    assert not validation & set(HELD_OUT), "nothing of validation is screened on"


def test_paste_into_an_agent_without_a_place_for_words_ends_the_batch(searched: Callable[..., Any]) -> None:
    loop = searched("paste")
    draft(loop, *(None for _ in loop.state["slots"]))
    assert loop.go(screen)["outcome"] == "nothing"
    assert loop.go(revert, learn)["outcome"] == "onward"
    assert loop.services.journal.read(AttemptEnded) == []


def test_paste_keeps_without_a_gate_and_says_so(searched: Callable[..., Any]) -> None:
    loop = searched("paste", text=AGENT + "RULES = ['be kind']\n")
    bar = loop.state["best_micros"]
    draft(loop, *(None for _ in loop.state["slots"]))
    assert loop.services.engineer.briefs == [], "no engineer is asked"
    assert loop.go(screen)["outcome"] == "ungated"
    assert routing.after_screen(loop.state) == "ungated"
    loop.go(keep, promote, learn)
    (entry,) = [fact.entry for fact in loop.services.journal.read(AttemptEnded)]
    assert (entry.outcome, entry.reason, entry.verdicts) == ("kept", "ungated", ())
    assert "name it" in loop.services.versions.source(loop.state["incumbent"])
    assert loop.services.journal.read(Promoted) == []
    assert loop.state["best_micros"] == bar
    assert any("without a gate" in news.line() for news in loop.news if news.event == "warning")


def test_the_plain_loop_knows_nothing_of_it(loop: Any) -> None:
    loop.go(baseline, simulate)
    loop.mine(mine)
    loop.go(cluster)
    loop.services.engineer.texts.append(naming(*TRAIN, *HELD_OUT))
    loop.go(propose)
    before = loop.services.journal.length()
    state = loop.go(screen)
    assert (state["outcome"], state["search"], loop.services.journal.length()) == ("ready", "", before)


def test_without_checkpoints_the_search_goes_on_behind_its_last_attempt(searched: Callable[..., Any]) -> None:
    loop = searched("compose")
    through_screening(loop, *parts(loop), *useless(loop, 2))
    gates(loop)
    learned = dict(loop.state)
    stand = rebuilt(loop.services.journal)
    assert stand is not None
    assert stand.after == "learn"
    assert [stand.values[name] for name in ("search", "slots", "outcome")] == [
        learned[name] for name in ("search", "slots", "outcome")
    ]
