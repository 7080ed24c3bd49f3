"""A run that was forked: what belongs to the kept agent, and what to a way that was left."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sigmaloop.memory.clusters import fold_clusters
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.lineage import lineage
from sigmaloop.records import Candidate, LedgerEntry
from sigmaloop.report.files import write_views

Make = Callable[..., LedgerEntry]


def attempt(journal: Journal, number: int, parent: str) -> str:
    """An attempt with its candidate, whose commit is named after it."""
    name = f"A{number:04d}"
    journal.append("attempt", f"attempt:{name}", {"parent": parent}, batch=1)
    made = Candidate(
        id=name, batch=1, attempt=number, cluster_id="C001", parent=parent, commit=f"commit-{name}",
        agent=f"agent-{name}", hypothesis="h", kind="prompt", summary="s", diff=f"d{number}",
    )  # fmt: skip
    journal.put("candidate", name, made.model_dump(mode="json"))
    return made.commit


def end(journal: Journal, make: Make, number: int, outcome: str, *, turn: str = "") -> None:
    name = f"A{number:04d}"
    entry = make(number, outcome=outcome, reason=outcome + turn, gate=None if outcome == "kept" else "review")
    journal.append("ledger", f"ledger:{name}{turn}", entry.model_dump(mode="json"), batch=1)
    if outcome == "kept":
        payload = {"task_id": f"t{number}", "candidate_id": name, "cluster_id": "C001", "batch": 1, "passes": 1}
        journal.append("promoted", f"promoted:{name}", payload, batch=1)


def told(journal: Journal, incumbent: str) -> list[tuple[str, str]]:
    events = lineage(journal, incumbent).of(journal.events("ledger"))
    return [(event.payload["candidate_id"], event.payload["outcome"]) for event in events]


@pytest.fixture
def forked(journal: Journal, make_entry: Make) -> Journal:
    """base -> A0001 (kept) -> A0002 (rejected), A0003 (kept); back to base -> A0004 (kept)."""
    journal.append("cluster_created", "c1", {"cluster_id": "C001", "title": "t", "root_cause": "r"}, batch=1)
    first = attempt(journal, 1, "base")
    end(journal, make_entry, 1, "kept")
    attempt(journal, 2, first)
    end(journal, make_entry, 2, "rejected")
    attempt(journal, 3, first)
    end(journal, make_entry, 3, "kept")
    attempt(journal, 4, "base")
    end(journal, make_entry, 4, "kept")
    return journal


def test_only_the_way_to_the_kept_agent_counts(forked: Journal) -> None:
    assert told(forked, "commit-A0003") == [("A0001", "kept"), ("A0002", "rejected"), ("A0003", "kept")]
    assert told(forked, "commit-A0004") == [("A0004", "kept")]
    assert told(forked, "commit-A0001") == [("A0001", "kept"), ("A0002", "rejected")]
    assert told(forked, "base") == []


def test_the_files_for_people_follow_the_kept_agent(forked: Journal, tmp_path: Path) -> None:
    write_views(tmp_path, forked, incumbent="commit-A0004")
    assert [case["task_id"] for case in json.loads((tmp_path / "suite.json").read_text())] == ["t4"]
    assert [line.split("\t")[0] for line in (tmp_path / "results.tsv").read_text().splitlines()[1:]] == ["A0004"]
    assert json.loads((tmp_path / "progress.json").read_text())["kept"] == 1
    write_views(tmp_path, forked, incumbent="base")
    assert json.loads((tmp_path / "suite.json").read_text()) == []


def test_an_attempt_declined_once_and_approved_on_another_way_counts_as_each_way_says(
    journal: Journal, make_entry: Make
) -> None:
    commit = attempt(journal, 1, "base")
    end(journal, make_entry, 1, "rejected")
    end(journal, make_entry, 1, "kept", turn=":1")
    assert told(journal, commit) == [("A0001", "kept")]
    assert told(journal, "base") == [("A0001", "rejected")]
    end(journal, make_entry, 1, "rejected", turn=":2")
    assert told(journal, "base") == [("A0001", "rejected")], "the newest of its endings there"


def test_a_score_of_an_agent_that_was_left_resolves_no_cluster(
    journal: Journal, make_entry: Make, make_failure: Callable[..., Any]
) -> None:
    created = {"cluster_id": "C001", "title": "t", "root_cause": "r", "batch": 1}
    journal.append("cluster_created", "cluster:C001", created, batch=1)
    assigned = {"cluster_id": "C001", "batch": 1, "failure": make_failure("t1").model_dump(mode="json")}
    journal.append("failure_assigned", "assigned:1", assigned, batch=1)
    commit = attempt(journal, 1, "base")
    end(journal, make_entry, 1, "kept")
    score = {"task_id": "t1", "passed": True, "batch": 1, "agent": "agent-A0001"}
    journal.append("task_scored", "scored:1", score, batch=1)
    here, back = (fold_clusters(lineage(journal, agent).of(journal.events()))["C001"] for agent in (commit, "base"))
    assert (here.resolution_rate, back.resolution_rate) == (1.0, 0.0)
    assert (here.kept, back.kept) == (1, 0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["kept", "rejected"])), max_size=7))
def test_every_way_holds_its_own_keeps_and_the_attempts_on_its_agents(
    tmp_path_factory: pytest.TempPathFactory, make_entry: Make, made: list[tuple[int, str]]
) -> None:
    commits, parents, outcomes = ["base"], {}, {}
    with Journal(tmp_path_factory.mktemp("tree") / "journal.sqlite") as journal:
        for number, (place, outcome) in enumerate(made, start=1):
            parent = commits[place % len(commits)]
            commit = attempt(journal, number, parent)
            parents[commit], outcomes[f"A{number:04d}"] = parent, (outcome, parent, commit)
            end(journal, make_entry, number, outcome)
            if outcome == "kept":
                commits.append(commit)
        for agent in commits:
            chain = {agent}
            while agent in parents:
                agent = parents[agent]
                chain.add(agent)
            wanted = {
                name for name, (outcome, parent, commit) in outcomes.items()
                if (commit if outcome == "kept" else parent) in chain
            }  # fmt: skip
            start = next(iter(c for c in commits if c in chain and not any(parents.get(d) == c for d in chain)))
            assert {name for name, _ in told(journal, start)} == wanted
