"""`plan`, `selftest` and `gate` as a user types them."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from endpoint import Endpoint, serve
from made_records import started

from sigmaloop.gate.bank import Bank
from sigmaloop.gate.decision import Subject, decision_of
from sigmaloop.gate.judging import AttemptInputs, judge_attempt
from sigmaloop.gate.policies import make_policy
from sigmaloop.gate.rules import default_rules
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import RunPaths
from sigmaloop.records import Rollout, RolloutKey
from sigmaloop.settings import load_settings

Command = Callable[..., "CompletedProcess[str]"]
SHIPPED = resources.files("sigmaloop.target_agent").joinpath("agent.py").read_text(encoding="utf-8")
BLIND = SHIPPED.replace("parts.append(session.instructions)", 'parts.append("")')
SMALL = ("--benchmark", "small:SmallHelpdesk", "--upstream", "simulated", "--policy", "paired")
GIVEN = ("--mean", ".56", "--correlation", ".6", "--worlds", "2", "--batches", "2")


def refused(done: CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, (done.stdout, done.stderr[-1_500:])
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


def test_a_plan_from_given_noise_runs_nothing_and_shows_every_policy(command: Command, tmp_path: Path) -> None:
    told = json.loads(command("plan", "--json", "--tokens", "2000", "--seconds", "3", *GIVEN).stdout)
    assert [p["policy"] for p in told["plans"]] == ["reference", "paired", "rigorous", "strict"]
    assert told["plans"][0]["detectable"] == pytest.approx(11.04, abs=0.01)
    assert told["noise"]["measured"] is False
    assert all(p["tokens"] == pytest.approx(2000 * p["rollouts"]) for p in told["plans"])
    text = command("plan", *GIVEN).stdout
    assert "if no change helped at all" in text
    assert not list(tmp_path.iterdir())


def test_a_plan_measures_the_baseline_twice_when_nothing_is_given(command: Command) -> None:
    done = command("plan", "--json", *SMALL, "--worlds", "2", "--batches", "2")
    told = json.loads(done.stdout)
    assert told["noise"]["measured"] is True
    assert told["run"]["validation"] == 16
    assert told["costs"]["tokens"] > 0


def test_plans_that_cannot_be_are_refused(command: Command) -> None:
    refused(command("plan", "--budget", "500", *GIVEN), "cannot finish one attempt", "it needs")
    refused(command("plan", "--mean", ".5"), "both")
    refused(command("plan", "--mean", "1", "--correlation", ".5"), "between 0 and 1")
    refused(command("plan", "--mean", "nan", "--correlation", ".5"), "between 0 and 1")
    refused(command("selftest", "--correlation", "0"), "between 0 and 1")


def test_the_self_test_tells_what_the_gate_keeps_when_nothing_helps(command: Command) -> None:
    small = ("--policy", "paired", "--worlds", "2", "--batches", "3", "--validation", "30", "--test", "30")
    told = json.loads(command("selftest", "--json", *small).stdout)
    assert told["nothing_helps"]["true_gain"]["mean"] == 0
    assert told["policy"] == "paired"
    text = command("selftest", *small).stdout
    assert "nothing helps: keeps" in text
    assert "byte-identical" in text


@pytest.fixture
def logged(tmp_path: Path) -> Path:
    """The journal of a run that holds one decision."""
    paths = RunPaths(tmp_path / ".sigmaloop", "0a0b0c0d-run")
    paths.make()
    policy, tasks = make_policy(default_rules("paired")), tuple(f"v{i:02}" for i in range(30))

    def rollout(task: str, trial: int, *, passed: bool) -> Rollout:
        key = RolloutKey(agent="agent", task_id=task, trial=trial)
        return Rollout(key=key, seed=0, status="ok", reward=float(passed))

    bank = Bank().joined([rollout(t, n, passed=int(t[1:]) % 2 == 0) for t, n in policy.missing(Bank(), tasks)], cap=12)
    inputs = AttemptInputs(tasks=tasks, bank=bank, seed="s")
    judged = judge_attempt(
        policy, inputs, lambda _s, pairs: [rollout(t, n, passed=int(t[1:]) % 3 == 0) for t, n in pairs]
    )
    subject = Subject(
        run_id=paths.run_id, batch=1, attempt=1, candidate_id="A0001", parent="p", commit="c", agent="agent",
        diff_hash="d",
    )  # fmt: skip
    log = decision_of(subject, policy, inputs, judged, run_seed=0)
    with Journal(paths.journal) as journal:
        journal.write(started(load_settings()))
        journal.append("decision", "decision:A0001", log.model_dump(mode="json"), batch=1)
    return paths.journal


def test_a_decision_is_explained_from_its_log(command: Command, logged: Path) -> None:
    done = command("gate", "explain", "A0001")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("A0001: reject, decided at validation")
    assert done.stdout.rstrip().endswith("recomputed from the log: same result")
    told = json.loads(command("gate", "explain", "A0001", "--run", "0a0b", "--json").stdout)
    assert told["recomputed"] is True
    assert told["verdict"] == "reject"
    refused(command("gate", "explain", "A0002"), "A0002", "decisions: A0001")


def test_one_altered_rollout_is_detected(command: Command, logged: Path) -> None:
    with sqlite3.connect(logged) as database:
        (text,) = database.execute("SELECT payload FROM events WHERE id = 'decision:A0001'").fetchone()
        payload = json.loads(text)
        payload["rows"][0]["reward"] = 1.0 - payload["rows"][0]["reward"]
        changed = json.dumps(payload, sort_keys=True, separators=(",", ":"))
        database.execute("UPDATE events SET payload = ? WHERE id = 'decision:A0001'", (changed,))
    done = command("gate", "explain", "A0001")
    assert done.returncode == 3, "the journal's chain is broken"
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_hand_made_change_is_judged_by_the_same_law(command: Command, tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(SHIPPED)
    (tmp_path / "blind.py").write_text(BLIND)
    check = ("gate", "check", *SMALL)
    done = command(*check, "--agent", "good.py", "--against", "blind.py", "--log", "log.json")
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert done.stdout.startswith("keep (validation_passed)  (simulated model)")
    assert json.loads((tmp_path / "log.json").read_text())["kept"] is True
    done = command(*check, "--agent", "blind.py", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["reason"] == "validation_below_bound"
    done = command(*check, "--agent", "good.py")
    assert (done.returncode, done.stdout.startswith("reject (unchanged)")) == (1, True)
    refused(command(*check), "--agent")
    refused(command(*check, "--agent", "nowhere.py"), "nowhere.py", "does not exist")
    refused(command(*check, "--agent", "blind.py", "--suite", "no-such-task"), "no-such-task", "no training task")


@pytest.mark.slow
def test_when_the_endpoint_fails_in_between_nothing_is_decided(command: Command, tmp_path: Path) -> None:
    (tmp_path / "blind.py").write_text(BLIND)
    with serve(Endpoint()) as endpoint:
        endpoint.fail_after = 450
        done = command(
            "gate", "check", "--benchmark", "small:SmallHelpdesk", "--policy", "paired",
            "--upstream", "openai", "--base-url", endpoint.url,
            "--agent", "blind.py", "--model-tries", "1", "--model-timeout", "5",
            OPENAI_API_KEY="test-key", PATH=os.environ["PATH"],
        )  # fmt: skip
    assert done.returncode == 3, (done.stdout, done.stderr)
    assert "infrastructure fault" in done.stdout + done.stderr
