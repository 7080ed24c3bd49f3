"""An infrastructure fault is no verdict: the run pauses with the reason and goes on from there."""

from __future__ import annotations

from pathlib import Path

import pytest
from endpoint import serve

from sigmaloop.graph.run import Run
from sigmaloop.memory.journal import Journal
from sigmaloop.settings import load_settings

SMALL = {
    "benchmark": "small:TinyHelpdesk", "batches": 1, "batch_size": 8, "attempts": 2, "certify_trials": 1,
    "concurrency": 2, "model_tries": 1, "model_timeout": 5.0, "upstream": "openai",
}  # fmt: skip


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-loopback-0000")
    monkeypatch.chdir(tmp_path)


def finish(run: Run, events: list[str]) -> None:
    events += [str(event.event) for event in run.follow()]


@pytest.mark.usefixtures("key")
def test_an_endpoint_that_dies_inside_a_gate_pauses_the_run_and_costs_no_verdict(home: Path) -> None:
    with serve() as endpoint:
        run = Run.start(load_settings(home=home, base_url=endpoint.url, **SMALL))
        events: list[str] = []
        for event in run.follow():
            events.append(str(event.event))
            if event.event == "proposal":
                endpoint.trouble = "500"
        assert "paused" in events
        assert run.condition == "paused"
        question = run.question
        assert question is not None
        assert "infrastructure" in question["message"]
        assert "failed (500): trouble 500" in question["message"], "the cause"
        assert "sigmaloop resume" in question["message"]
        assert run.ledger() == []

        endpoint.trouble = None
        finish(run, events)
        assert run.condition == "finished"
        assert len(run.ledger()) >= 1


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    ("moment", "trouble"),
    [("stopped", "500"), ("baseline", "500"), ("baseline", "400"), ("learned", "500")],
    ids=["baseline", "traffic", "traffic-refused", "certification"],
)
def test_an_outage_pauses_wherever_rollouts_are_needed_and_burns_no_budget(
    home: Path, moment: str, trouble: str
) -> None:
    with serve() as endpoint:
        run = Run.start(load_settings(home=home, base_url=endpoint.url, **{**SMALL, "attempts": 1}))
        if moment == "stopped":
            endpoint.trouble = trouble
        for event in run.follow():
            if event.event == moment:
                endpoint.trouble = trouble
        assert run.condition == "paused"
        question = run.question
        assert question is not None
        assert "infrastructure fault" in question["message"]
        before = run.summary()
        assert before.certificate is None
        finish(run, [])
        assert run.condition == "paused", "still out of order: nothing may go on"
        assert run.summary().batches == before.batches
        endpoint.trouble = None
        finish(run, [])
        assert run.condition == "finished"
        assert len(run.ledger()) == 1


@pytest.mark.usefixtures("key")
def test_a_specialist_without_an_endpoint_pauses_the_run_with_the_cause_until_there_is_one(home: Path) -> None:
    with serve() as endpoint:
        run = Run.start(load_settings(home=home, base_url=endpoint.url, **{**SMALL, "attempts": 1}))
        waiting = {"traffic": "mine", "target": "propose"}
        while run.condition != "finished":
            endpoint.trouble = None
            for event in run.follow():
                if event.event in waiting:
                    endpoint.trouble = "500"
                    stopped = waiting.pop(event.event)
                    break_at = stopped
            if run.condition == "paused":
                question = run.question
                assert question is not None
                assert question["message"].startswith(f"{break_at} stopped at a model call that failed")
                assert "trouble 500" in question["message"]
                assert "sigmaloop resume" in question["message"]
                assert run.ledger() == []
        assert waiting == {}
        assert len(run.ledger()) == 1
        with Journal(run.paths.journal, readonly=True) as journal:
            answered = {event.payload["role"]: event.payload["name"] for event in journal.events("model_answered")}
    assert answered["target"] == run.settings.target_model
    assert answered["harness_engineer"] == run.settings.specialist_model


@pytest.mark.usefixtures("key")
def test_the_same_commands_use_a_real_endpoint_with_the_key_and_the_pinned_models(home: Path) -> None:
    with serve() as endpoint:
        settings = load_settings(
            home=home, base_url=endpoint.url, target_model="house-model", specialist_model="big-model", **SMALL
        )
        run = Run.start(settings)
        finish(run, [])
        assert run.condition == "finished"
        assert endpoint.keys == {"Bearer sk-loopback-0000"}
        assert endpoint.models == {"house-model", "big-model"}
        assert not run.summary().simulated
    for path in run.paths.root.rglob("*"):
        if path.is_file():
            assert b"sk-loopback-0000" not in path.read_bytes(), path


@pytest.mark.usefixtures("key")
def test_embeddings_go_through_the_gateway_too(home: Path) -> None:
    with serve() as endpoint:
        settings = load_settings(
            home=home, base_url=endpoint.url, embedder="openai", embedding_model="small-embedder", **SMALL
        )
        run = Run.start(settings)
        finish(run, [])
        assert run.condition == "finished"
        assert "small-embedder" in endpoint.models
        assert endpoint.keys == {"Bearer sk-loopback-0000"}
        assert run.failures()
        assert sorted(endpoint.embedded) == sorted(set(endpoint.embedded)), "no text is paid for twice"
