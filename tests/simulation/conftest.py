"""Fixtures: harness texts as the model reads them, and whole rollouts of the shipped agent on the benchmark."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.eval.benchmarks.helpdesk.benchmark import Helpdesk
from sigmaloop.simulation.habits import HABITS
from sigmaloop.simulation.model import SimulatedModel
from sigmaloop.simulation.reading import Reading, read

HERE = Path(__file__).parent


def policy_file(domain: str) -> Path:
    return HERE.parents[1] / "eval" / "benchmarks" / "helpdesk" / "domains" / domain / "policy.md"


POLICY = policy_file("retail").read_text()
MOST_CALLS = 60


@pytest.fixture(scope="session")
def wordings() -> dict[str, dict[str, Any]]:
    return tomllib.loads((HERE / "wordings" / "by_habit.toml").read_text())


@pytest.fixture(scope="session")
def held_out() -> dict[str, list[str]]:
    return tomllib.loads((HERE / "wordings" / "held_out.toml").read_text())["rules"]


@pytest.fixture(scope="session")
def policy() -> str:
    """A real policy."""
    return POLICY


@pytest.fixture(scope="session")
def reading() -> Callable[..., Reading]:
    """Reads a harness: prose and examples beside the policy, and one tool with a note."""

    def reading(
        *, rules: Sequence[str] = (), example: str = "", tool: tuple[str, str] = ("look", ""), policy: str = POLICY
    ) -> Reading:
        parts = ["You are an agent."]
        if rules:
            parts.append("Rules:\n" + "\n".join(f"- {rule}" for rule in rules))
        if example:
            parts.append(f"Examples:\n{example}")
        return read(("\n\n".join([*parts, policy]),), ((tool[0], f"Do this. {tool[1]}"),))

    return reading


@pytest.fixture(scope="session")
def relative() -> Callable[..., float]:
    """The rate of a habit under a reading, as a share of its base rate."""

    def relative(found: Reading, habit: str, checks: Sequence[str] = ()) -> float:
        return found.rate(habit, checks) / HABITS[habit].rate

    return relative


class Session:
    """What the agent is handed, in process: the episode is real, and so is the model."""

    def __init__(self, episode: Any, model: SimulatedModel, seed: int) -> None:
        self._episode, self._model, self._seed = episode, model, seed
        self.instructions, self.tools, self.opening = episode.instructions, episode.tools, episode.opening
        self.requests: list[dict[str, Any]] = []

    def call(self, name: str, arguments: Mapping[str, Any]) -> str:
        return str(self._episode.act(name, arguments))

    def say(self, text: str) -> str | None:
        return self._episode.say(text)  # type: ignore[no-any-return]

    def complete(self, messages: list[dict[str, Any]], tools: Any = None) -> dict[str, Any]:
        if len(self.requests) >= MOST_CALLS:
            raise TimeoutError
        self.requests.append({"model": "m", "messages": list(messages), "tools": tools, "seed": self._seed})
        return self._model.complete(self.requests[-1])


Play = Callable[..., float]


@pytest.fixture(scope="session")
def benchmark() -> Helpdesk:
    return Helpdesk()


@pytest.fixture(scope="session")
def agent() -> str:
    """The shipped agent's source, read as text: nobody imports it."""
    return (HERE.parents[1] / "target_agent" / "agent.py").read_text()


@pytest.fixture(scope="session")
def session(benchmark: Helpdesk) -> Callable[..., Session]:
    """One rollout: the session after the agent has stopped."""

    def session(source: str, task_id: str, *, seed: int = 1, model: SimulatedModel | None = None) -> Session:
        made = Session(benchmark.open(task_id, seed=seed), model or SimulatedModel(), seed)
        namespace: dict[str, Any] = {}
        exec(source, namespace)
        with contextlib.suppress(TimeoutError):
            namespace["run"](made)
        return made

    return session


@pytest.fixture(scope="session")
def play(session: Callable[..., Session]) -> Play:
    """The reward of one rollout."""

    def play(source: str, task_id: str, *, seed: int = 1, model: SimulatedModel | None = None) -> float:
        return float(session(source, task_id, seed=seed, model=model)._episode.score().reward)

    return play


@pytest.fixture(scope="session")
def with_rules(agent: str) -> Callable[..., str]:
    """The shipped agent with further rules and examples."""

    def with_rules(rules: Sequence[str] = (), examples: Sequence[str] = ()) -> str:
        source = agent.replace("RULES = [\n", "RULES = [\n" + "".join(f"    {rule!r},\n" for rule in rules))
        return source.replace("EXAMPLES = []", f"EXAMPLES = {list(examples)!r}")

    return with_rules
