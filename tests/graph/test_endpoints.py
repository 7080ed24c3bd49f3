"""Real endpoints, each in its provider's words: the same evidence as from the simulated model, or a reason to pause."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from dialects import Dialect, dialects, serve_dialect

from sigmaloop.errors import BadInput, ModelUnavailable
from sigmaloop.eval.benchmark import load_benchmark
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.eval.store import MemoryStore
from sigmaloop.graph.endpoints import make_upstreams, models_of, roles_of
from sigmaloop.graph.prepare import probed
from sigmaloop.graph.run import Run
from sigmaloop.graph.services import make_gateway, make_supervisor
from sigmaloop.memory.facts import EndpointProbed, RunStarted, more_noise
from sigmaloop.memory.journal import Journal
from sigmaloop.records import Rollout
from sigmaloop.settings import Settings, load_settings
from sigmaloop.tools.sandbox.supervisor import Supervisor

TASKS = 3
ROLES = ("target", "specialist", "user", "judge")


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    """One for all: it keeps nothing of a rollout."""
    made = make_supervisor(load_settings())
    yield made
    made.stop()


@pytest.fixture(scope="module")
def expected(supervisor: Supervisor) -> list[Rollout]:
    """What the agent gets with the simulated model in this process."""
    found = played(load_settings(upstream="simulated"), supervisor)
    assert len({rollout.passed for rollout in found}) == 2, "both kinds, or nothing could be told apart"
    return found


def played(settings: Settings, supervisor: Supervisor, benchmark: str = "small:TinyHelpdesk") -> list[Rollout]:
    """The shipped agent on a few tasks."""
    known = load_benchmark(benchmark)
    tasks = [task.id for task in known.tasks("train")[:TASKS]]
    gateway = make_gateway(settings, journal=None)
    try:
        with RolloutEngine(known, supervisor, gateway, MemoryStore(), run_seed=0, concurrency=TASKS) as engine:
            return engine.run(settings.agent_source(), [(task, 0) for task in tasks])
    finally:
        gateway.stop()


def settings_for(dialect: Dialect, monkeypatch: pytest.MonkeyPatch, role: str = "target", **more: Any) -> Settings:
    """A role that this endpoint answers, with a key of its own."""
    monkeypatch.setenv(f"KEY_OF_{role}", dialect.key)
    given = {"base_url": dialect.url, "key_env": f"KEY_OF_{role}", "timeout": 10.0, **dialect.settings}
    return load_settings(**{f"{role}_{name}": value for name, value in given.items()}, **more)


@pytest.mark.parametrize("name", dialects())
def test_a_providers_words_change_no_reward(
    name: str, supervisor: Supervisor, expected: list[Rollout], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_dialect(dialects()[name]) as dialect:
        settings = probed(settings_for(dialect, monkeypatch), "target")
        dialect.refused.clear()
        found = played(settings, supervisor)
        assert not dialect.refused
    if not settings.role("target").left_out:  # the simulated model draws by both
        assert [(r.status, r.reward) for r in found] == [(r.status, r.reward) for r in expected]
    assert {r.status for r in found} == {"ok"}
    assert all(r.usage.input_tokens and r.usage.output_tokens for r in found), "estimated where it says nothing"
    assert any(message["role"] == "tool" for request in dialect.asked for message in request["messages"])


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ((400, {"error": {"message": "Unrecognized request argument supplied: seed"}}), "does not take seed"),
        ((402, {"error": {"message": "Insufficient Balance"}}), "out of credit"),
        ((400, {"error": {"message": "no", "code": "content_filter"}}), "content filter"),
        ((200, {"choices": [{"message": {"content": ""}, "finish_reason": "error"}]}), "ended in an error"),
        ((200, {"choices": [{"message": {"content": ""}, "error": {"message": "upstream died"}}]}), "upstream died"),
    ],
    ids=["parameter", "402", "filter", "finish_reason", "choice error"],
)
def test_an_endpoint_that_breaks_later_is_no_evidence_about_the_agent(
    refusal: Any, words: str, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_dialect(Dialect(refuses=(lambda *_: refusal,))) as broken:
        found = played(settings_for(broken, monkeypatch, model_tries=1), supervisor)
    assert [(r.status, r.reward) for r in found] == [("infra", None)] * TASKS
    assert all(words in r.detail for r in found)


def test_a_full_context_is_the_agents_own_doing(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"error": {"message": "too long", "code": "context_length_exceeded"}}

    def one_task(_: Any, request: dict[str, Any]) -> Any:
        first = next(m["content"] for m in request["messages"] if m["role"] == "user")
        full.append(first)
        return (400, body) if first == full[0] else None

    full: list[str] = []
    with serve_dialect(Dialect(refuses=(one_task,))) as dialect:
        found = played(settings_for(dialect, monkeypatch), supervisor)
    assert sorted(r.status for r in found) == ["agent_error", "ok", "ok"]


def test_four_endpoints_see_their_own_keys_only_and_a_resumed_run_keeps_them(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-nobody-here")
    names = {"target": "gemini", "specialist": "deepseek", "user": "azure-classic", "judge": "streams-only"}
    with ExitStack() as stack:
        served = {}
        given: dict[str, Any] = {}
        for role, name in names.items():
            dialect = dialects()[name]
            dialect.key = f"sk-own-key-of-{role}"
            served[role] = stack.enter_context(serve_dialect(dialect))
            monkeypatch.setenv(f"KEY_OF_{role}", dialect.key)
            given |= {
                f"{role}_base_url": dialect.url,
                f"{role}_key_env": f"KEY_OF_{role}",
                f"{role}_model": f"m-{role}",
            }
        settings = load_settings(
            home=home, benchmark="asking:Asking", batches=1, batch_size=8, attempts=1, max_attempts=1, canaries=0,
            harmful_canaries=0, certify_trials=1, bank_trials=1, concurrency=4, policy="reference", **given,
        )  # fmt: skip
        run = Run.start(settings)
        for role in ROLES:  # what is set later changes nothing
            monkeypatch.setenv(f"SIGMALOOP_{role.upper()}_BASE_URL", "http://127.0.0.1:9/v1")
        for dialect in served.values():
            dialect.refused.clear()
        list(run.follow())
        assert run.condition == "finished"
        for role, dialect in served.items():
            assert not dialect.refused, role
            assert {str(r["model"]) for r in dialect.asked} == {f"m-{role}"}
            seen = json.dumps([dict(headers) for headers in dialect.headers])
            assert [other for other in ROLES if f"sk-own-key-of-{other}" in seen] == [role]
            assert "nobody" not in seen
    with Journal(run.paths.journal, readonly=True) as journal:
        (started,) = journal.read(RunStarted)
        assert "sk-own-key" not in json.dumps(started.settings)
        assert started.settings["target_seed"] == "default"
        assert started.settings["specialist_tool_choice"] == "free"
        assert started.settings["judge_stream"] == "on"
        assert "target (m-target): seed left out" in more_noise(journal.read(EndpointProbed))
        assert {*journal.usage()} >= {"target", "user", "judge", "failure_miner"}
    assert any("seed left out" in line for line in run.endpoints())


def test_roles_that_are_asked_alike_are_probed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-12345678")
    assert roles_of(load_settings()) == ("target", "specialist")
    assert roles_of(load_settings(specialist_model="gpt-4.1-mini", specialist_max_tokens=2048)) == ("target",)
    assert roles_of(load_settings(gate_judge_model="o3", embedder="openai")) == (
        "target", "specialist", "gate_judge", "embedding",
    )  # fmt: skip
    assert list(models_of(load_settings(gate_judge_model="o3")).own) == ["gate_judge"]
    asking = load_benchmark("asking:Asking")
    assert roles_of(load_settings(user_model="u"), asking) == ("target", "specialist", "user")


def test_a_missing_key_is_said_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match=r"the variable NO_SUCH_KEY, which is not set.*\[models.user\]"):
        make_upstreams(load_settings(base_url="http://127.0.0.1:9/v1", user_key_env="NO_SUCH_KEY"))
    with pytest.raises(ModelUnavailable, match="OPENAI_API_KEY is not set"):
        make_upstreams(load_settings(upstream="openai"))
