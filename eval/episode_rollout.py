"""One rollout from opening to score: the episode on this side, the agent's source in the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sigmaloop.errors import BudgetSpent, ModelChanged, SandboxError, SigmaLoopError, StoreError, boundary
from sigmaloop.eval.benchmark import BenchmarkRunner, open_episode
from sigmaloop.eval.benchmark_models import RolloutModels
from sigmaloop.eval.session import EpisodeFault, EpisodeSession
from sigmaloop.records import NO_COURSE, Course, JsonObject, RolloutStatus, Step
from sigmaloop.tools.sandbox.supervisor import Supervisor

EXPLANATION = 1_000
"""Most characters that a benchmark tells of how a task ended."""
Complete = Callable[[JsonObject], JsonObject]


@dataclass(frozen=True)
class Played:
    """How a rollout ended."""

    status: RolloutStatus
    reward: float | None
    detail: str = ""
    components: dict[str, float] = field(default_factory=dict)
    trace: tuple[Step, ...] = ()
    course: Course = NO_COURSE
    """When each step was seen, and after how many of them each model call was answered."""
    explanation: str = ""
    """What may be told of how it ended; for training tasks only."""
    fault: SigmaLoopError | None = None
    """What made it infra, where we know more than the text."""
    doubtful: bool = False
    """An agent_error that something outside may have caused; see `SandboxResult`."""


def play(
    benchmark: BenchmarkRunner,
    task_id: str,
    *,
    seed: int,
    source: str,
    supervisor: Supervisor,
    complete: Complete,
    explained: bool = False,
    models: RolloutModels | None = None,
) -> Played:
    """Let an agent work on a task once. What agent, benchmark or model do wrong is a result, not an error.

    `explained`: it is a training task, of which the benchmark may tell how it ended. A fault of the benchmark's own
    `models` ends it as that fault, whatever the benchmark made of it.
    """
    session: EpisodeSession | None = None
    try:
        with boundary(EpisodeFault, f"benchmark: opening {task_id}"):
            episode = open_episode(benchmark, task_id, seed=seed, models=models)
        session = EpisodeSession(episode, complete)
        with boundary(SandboxError, "sandbox"):
            ended = supervisor.run(source, session)
        _check(models)
        if ended.status == "infra":
            raise session.fault or SandboxError(ended.detail)
        if ended.status == "agent_error":
            session.fail(ended.detail)
            return Played(
                "agent_error", 0.0, ended.detail, trace=session.trace, course=session.course, doubtful=ended.doubtful
            )
        score = session.score()
        told = ""
        if explained and score.reward < 1:
            with boundary(EpisodeFault, "benchmark: explaining how it ended"):
                told = str(benchmark.explain(episode))[:EXPLANATION]
        _check(models)
    except (StoreError, BudgetSpent, ModelChanged):
        raise  # nothing that follows could be kept, paid for, or compared
    except SigmaLoopError as error:
        fault = (models.fault if models else None) or error
        if isinstance(fault, BudgetSpent | ModelChanged):
            raise fault from error
        if session is None:
            return Played("infra", None, str(fault), fault=fault)
        return Played("infra", None, str(fault), trace=session.trace, course=session.course, fault=fault)
    return Played("ok", score.reward, score.missing, dict(score.components), session.trace, session.course, told)


def _check(models: RolloutModels | None) -> None:
    """Raises the fault of the benchmark's own models that nothing came after."""
    if models is not None and models.fault is not None:
        raise models.fault
