"""`sigmaloop trace` and `eval --show`: a person finds a rollout, reads it, and sees why it failed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.cli.main import main
from sigmaloop.graph.standalone import ScoredTraces, score_file
from sigmaloop.memory.facts import CANDIDATE, FORM, BaselineMeasured, RunStarted
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import CALLS, RunPaths
from sigmaloop.records import Candidate, Rollout, RolloutKey, Step, agent_hash
from sigmaloop.settings import load_settings
from sigmaloop.tools.gateway.call_log import read_calls
from sigmaloop.tools.versions import Versions

RUN = "12345678-run"
CHANGED = agent_hash("changed")


def talk(task: str) -> list[Step]:
    return [
        Step(index=0, kind="user", text=f"Please mend {task}."),
        Step(index=1, kind="act", tool="mend", arguments={"what": task}, text="\x1b[2Jmended"),
    ]


@pytest.fixture
def ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Ids of the rollouts of a run, by task and agent."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    settings = load_settings(upstream="simulated")
    paths = RunPaths(settings.home, RUN)
    paths.make()
    source = settings.agent_source()
    commit = Versions(paths.versions).begin(source, "baseline")
    found = {}
    with Journal(paths.journal) as journal:
        first: dict[str, Any] = {"benchmark": "", "models": settings.models(), "prompts": {}, "tier": "none"}
        journal.write(RunStarted(settings=settings.stored(), simulated=True, form=FORM, **first))
        journal.write(BaselineMeasured(commit=commit, reward_micros=0, tasks=2))
        words = dict.fromkeys(("parent", "commit", "hypothesis", "summary", "diff", "cluster_id"), "c")
        changed = Candidate(id="A0001", batch=1, attempt=1, agent=CHANGED, kind="prompt", **words)
        journal.save(CANDIDATE, changed.id, changed)
        for agent, name in ((agent_hash(source), "baseline"), (CHANGED, "A0001")):
            for task, split, reward in (("t1", "train", 0.0), ("v1", "validation", float(name == "A0001"))):
                rollout = Rollout.model_validate(
                    {
                        "key": RolloutKey(agent=agent, task_id=task, trial=0),
                        "seed": 1,
                        "status": "ok",
                        "reward": reward,
                        "split": split,
                        "request_type": "mending",
                    }
                )
                journal.save_rollout(rollout, talk(task))
                found[f"{task} {name}"] = rollout.id
    return found


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["trace", *arguments])
    told = capsys.readouterr()
    assert ended.value.code == code, told.err
    return told.out + (told.err if code else "")


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ([], {"t1 baseline", "v1 baseline", "t1 A0001", "v1 A0001"}),
        (["--split", "validation"], {"v1 baseline", "v1 A0001"}),
        (["--outcome", "failed", "--agent", "A0001"], {"t1 A0001"}),
        (["--outcome", "passed"], {"v1 A0001"}),
        (["--agent", "baseline", "--type", "mending"], {"t1 baseline", "v1 baseline"}),
        (["--attempt", "a0001", "--task", "t1"], {"t1 A0001"}),
        (["--agent", CHANGED[:5]], {"t1 A0001", "v1 A0001"}),
        (["--attempt", "A0001", "--agent", "baseline"], set()),
        (["--type", "other"], set()),
    ],
    ids=" ".join,
)
def test_a_list_holds_what_the_filters_ask_for(
    capsys: pytest.CaptureFixture[str], ids: dict[str, str], filters: list[str], wanted: set[str]
) -> None:
    rows = json.loads(said(capsys, "--json", *filters))["traces"]
    assert {row["id"] for row in rows} == {ids[name] for name in wanted}
    text = said(capsys, *filters)
    assert all(ids[name][:8] in text for name in wanted)
    assert max(map(len, text.splitlines())) <= 80
    assert wanted or "no trace of 12345678 is like that" in text


def test_a_trace_is_shown_by_the_beginning_of_its_id_or_of_its_failure(
    capsys: pytest.CaptureFixture[str], ids: dict[str, str]
) -> None:
    rollout = ids["v1 A0001"]
    for name in (rollout, rollout[:9], f"F{rollout[:11]}"):
        text = said(capsys, name)
        assert f"rollout  {rollout}  passed, reward 1.00" in text
        assert "A0001" in text
        assert '1 call     mend(what="v1")' in text
        assert "\x1b" not in text
    told = json.loads(said(capsys, rollout[:9], "--json"))["trace"]
    assert (told["run"], told["agent"], told["outcome"], len(told["steps"])) == (RUN, "A0001", "passed", 2)


def test_two_traces_stand_beside_each_other(capsys: pytest.CaptureFixture[str], ids: dict[str, str]) -> None:
    text = said(capsys, ids["v1 baseline"], "--against", ids["v1 A0001"])
    assert max(map(len, text.splitlines())) <= 80
    assert any(line.count("Please mend v1.") == 2 and " = " in line for line in text.splitlines())
    assert "baseline" in text
    both = json.loads(said(capsys, ids["v1 baseline"], "--against", ids["t1 A0001"], "--json"))
    assert both["against"]["rollout"]["key"]["task_id"] == "t1"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["zzz"], ["no trace 'zzz'", "`sigmaloop trace` lists"]),
        (["--agent", "A0009"], ["no agent 'A0009'", "A0001", "baseline"]),
        (["--run", "nowhere"], ["no run 'nowhere'"]),
        (["--against", "x"], ["need a TRACE_ID"]),
        (["0", "--split", "train"], ["filters are for the list"]),
    ],
    ids=lambda words: words[0],
)
def test_what_cannot_be_shown_says_what_to_do(
    capsys: pytest.CaptureFixture[str], ids: dict[str, str], arguments: list[str], words: list[str]
) -> None:
    text = said(capsys, *arguments, code=2)
    assert [word for word in words if word not in text] == []


def test_a_beginning_of_several_ids_is_refused_with_some_of_them(
    capsys: pytest.CaptureFixture[str], ids: dict[str, str]
) -> None:
    with Journal(RunPaths(Path(".sigmaloop"), RUN).journal) as journal:
        for n in range(20):
            key = RolloutKey(agent="more", task_id=f"t{n}", trial=0)
            journal.save_rollout(Rollout(key=key, seed=1, status="ok", reward=1.0, split="train"), talk("x"))
        every = [rollout.id for rollout in journal.rollouts()]
    twice = next(a[0] for a in every if sum(b[0] == a[0] for b in every) > 1)
    assert "give more of the id" in said(capsys, twice, code=2)


def test_calls_that_were_not_recorded_are_explained(capsys: pytest.CaptureFixture[str], ids: dict[str, str]) -> None:
    assert "--record-calls" in said(capsys, ids["t1 A0001"], "--calls", code=2)


def test_an_eval_shows_its_failures_and_keeps_what_was_said_to_the_model(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    small = ["--benchmark", "small:TinyHelpdesk", "--limit", "2", "--upstream", "simulated"]
    with pytest.raises(SystemExit) as ended:
        main(["eval", *small, "--show", "all", "--record-calls"])
    text = capsys.readouterr().out
    assert not ended.value.code
    assert text.count("\nrollout  ") == 2
    assert "model    simulated-target, " in text
    assert "recorded as eval-0001" in text
    rows = json.loads(said(capsys, "--json"))["traces"]
    assert {row["rollout"]["split"] for row in rows} == {"validation"}
    one = rows[0]
    shown = said(capsys, one["id"][:8], "--calls")
    assert shown.count("model call ") == one["rollout"]["usage"]["calls"]
    assert "  system" in shown
    told = json.loads(said(capsys, one["id"], "--json"))["trace"]
    calls = told["course"]["calls"]
    assert sum(call["input_tokens"] for call in calls) == one["rollout"]["usage"]["input_tokens"]
    assert len(told["course"]["seen"]) == len(told["steps"])
    spoken = [step["index"] for step in told["steps"] if step["kind"] in ("say", "act")]
    assert [call["step"] for call in calls] == spoken, "each step of this agent follows from one call"
    assert all(call["prompt"] and call["model"] == "simulated-target" for call in calls)


def test_an_eval_that_was_interrupted_goes_on_and_pays_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(
        benchmark="small:TinyHelpdesk", upstream="simulated", record_calls=True, concurrency=1, home=tmp_path / "h"
    )
    scored: list[ScoredTraces] = []

    def interrupted(_rollout: Rollout) -> None:
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        score_file(settings, split="validation", limit=3, trials=1, on_done=interrupted)
    journal = tmp_path / "h" / "evals" / "eval-0001" / "journal.sqlite"
    with Journal(journal, readonly=True) as opened:
        before = opened.rollouts()
    assert 1 <= len(before) < 3
    score_file(settings, split="validation", limit=3, trials=1, on_scored=scored.append)
    assert (scored[0].name, len(scored[0].traces)) == ("eval-0001", 3)
    assert {r.id for r in before} <= {t.rollout.id for t in scored[0].traces}
    calls = [(call.scope, call.index) for call in read_calls(journal.with_name(CALLS))]
    assert len(calls) == len(set(calls)) == sum(t.rollout.usage.calls for t in scored[0].traces)
    score_file(settings, split="validation", limit=3, trials=1, on_scored=scored.append)
    assert scored[1].name == "eval-0002", "a finished one is measured afresh"
