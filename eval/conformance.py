"""The conformance kit: does a benchmark keep its contract, and what is its score worth?

For people who write one. Besides the contract it measures the floor (agents that do nothing useful) and,
where the benchmark offers an oracle, the ceiling. An oracle is a method `oracle(task_id)` that returns how to
solve the task: a list of ("call", name, arguments), ("say", text) and ("submit", answer), or of records with
the fields of a trace's `Step` (kind act, say or submit; tool and arguments, or text).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from sigmaloop.errors import BadInput, boundary
from sigmaloop.eval.benchmark import SPLITS, BenchmarkRunner, Score, open_episode
from sigmaloop.eval.controls import CONSTANT, CONTROLS, NULL
from sigmaloop.eval.dependence import trial_spread
from sigmaloop.eval.marks import out_of_reach
from sigmaloop.eval.rollouts import Drained, RolloutEngine
from sigmaloop.eval.whole_benchmark import check_run, takes_seeds
from sigmaloop.records import Record, Rollout, Task
from sigmaloop.tools.changes.leak_scan import tells

FLOOR = 0.2
"""A control agent that scores more than this makes the gate worthless: doing nothing would pay."""
TRIALS = 12
"""Trials of every task in which a benchmark that hosts the agent shows whether its tasks share their luck."""
SAMPLE = 40
"""Tasks of every split that are opened twice to compare."""

Oracle = Callable[[str], Sequence[object]]


class Check(Record):
    """One question put to a benchmark."""

    name: str
    ok: bool
    detail: str


class ConformanceReport(Record):
    """What the kit found."""

    benchmark: str
    version: str
    checks: tuple[Check, ...]
    free_tasks: tuple[str, ...] = ()
    """Tasks that an agent which does nothing passes: they prove nothing and are never worth promoting."""

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


def check_benchmark(
    benchmark: BenchmarkRunner, *, engine: RolloutEngine, limit: int | None = None, agent: str | None = None
) -> ConformanceReport:
    """Put every question to a benchmark. Never raises for what the benchmark does: it is in the report.

    `engine` runs this benchmark, with any model: the control agents call none. `limit`: tasks of each split
    that the control agents and the oracle work on. `agent`: text of the agent that a benchmark which hosts it is
    measured with, in `TRIALS` trials; the constant agent unless given.
    """
    kit = _Kit(benchmark)
    kit.ask("tasks", lambda: _tasks(benchmark))
    kit.ask("task ids", lambda: _ids(benchmark))
    kit.ask("weights", lambda: _weights(benchmark))
    kit.ask("pass mark", lambda: _marks(benchmark))
    kit.ask("same tasks again", lambda: _same_tasks(benchmark))
    if not kit.ok:
        return kit.report()  # whatever follows would only repeat it
    tasks = {split: list(benchmark.tasks(split)) for split in SPLITS}
    if not benchmark.hosts_agent:
        sample = [task for split in SPLITS for task in _spread(tasks[split], SAMPLE)]
        kit.ask("tools", lambda: _tools(benchmark, sample))
        kit.ask("same episode again", lambda: _same_episodes(benchmark, sample))
        kit.ask("unknown tool", lambda: _unknown_tool(benchmark, sample))
        oracle = getattr(benchmark, "oracle", None)
        if callable(oracle):
            solved = [task for split in SPLITS for task in tasks[split][:limit]]
            kit.ask("oracle (ceiling)", lambda: _oracle(benchmark, solved, oracle))
    worked = [task for split in SPLITS[:2] for task in tasks[split][:limit]]
    seen: dict[str, list[Rollout]] = {}
    for name in CONTROLS:
        kit.ask(f"{name} (floor)", partial(_control, engine, name, worked, seen, hosted=benchmark.hosts_agent))
    if benchmark.hosts_agent:
        sample = [task for split in SPLITS[:2] for task in _spread(tasks[split], SAMPLE // 2)]
        kit.ask("independent tasks", partial(_independent, engine, agent or CONTROLS[CONSTANT], sample, seen))
        kit.ask("broken tasks", partial(_broken, seen))
    kit.ask("pass mark in reach", partial(_reach, seen, own=agent is not None))
    return kit.report([r.task_id for r in seen.get(NULL, ()) if r.passed])


class _Kit:
    """Collects answers; a benchmark that raises has answered too."""

    def __init__(self, benchmark: BenchmarkRunner) -> None:
        self._benchmark = benchmark
        self._checks: list[Check] = []

    def ask(self, name: str, question: Callable[[], tuple[bool, str]]) -> None:
        try:
            ok, detail = question()
        except Drained:
            raise
        except Exception as error:  # the boundary to the code that is being examined
            ok, detail = False, f"{type(error).__name__}: {error}"
        self._checks.append(Check(name=name, ok=ok, detail=" ".join(detail.split())[:600]))

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self._checks)

    def report(self, free: Sequence[str] = ()) -> ConformanceReport:
        return ConformanceReport(
            benchmark=self._benchmark.name,
            version=self._benchmark.version,
            checks=tuple(self._checks),
            free_tasks=tuple(free),
        )


def check_tasks(benchmark: BenchmarkRunner) -> None:
    """What no run can do without: disjoint splits, something to train and validate on, a way to score.

    Raises BadInput, whatever the benchmark's own code raises.
    """
    with boundary(BadInput, f"benchmark {benchmark.name}: its tasks() failed"):
        fine, detail = _tasks(benchmark)
    if not fine:
        raise BadInput(f"benchmark {benchmark.name}: {detail}")
    with boundary(BadInput, f"benchmark {benchmark.name}: its tasks() failed"):
        benchmark.pass_marks()
    if benchmark.hosts_agent:
        check_run(benchmark)
        takes_seeds(benchmark)


def _tasks(benchmark: BenchmarkRunner) -> tuple[bool, str]:
    tasks = {split: list(benchmark.tasks(split)) for split in SPLITS}
    repeated = [i for i, n in Counter(t.id for ts in tasks.values() for t in ts).items() if n > 1]
    if repeated:
        return False, f"{len(repeated)} ids stand more than once, within or across splits: {_listed(repeated)}"
    strayed = [t.id for split, ts in tasks.items() for t in ts if t.split != split]
    if strayed:
        return False, f"{len(strayed)} tasks say that they belong to another split: {_listed(strayed)}"
    if not tasks["train"] or not tasks["validation"]:
        return False, "a run needs train and validation tasks"
    return True, ", ".join(f"{len(ts)} {split}" for split, ts in tasks.items())


def _weights(benchmark: BenchmarkRunner) -> tuple[bool, str]:
    weights = [task.weight for split in SPLITS for task in benchmark.tasks(split)]
    types = {task.request_type for split in SPLITS for task in benchmark.tasks(split)}
    return min(weights) > 0, f"{min(weights):g} to {max(weights):g}, {len(types)} request types"


def _ids(benchmark: BenchmarkRunner) -> tuple[bool, str]:
    plain = [task.id for split in SPLITS for task in benchmark.tasks(split) if not tells(task.id)]
    if not plain:
        return True, "each would be noticed in a change that names it"
    return True, (
        f"{len(plain)} are plain words or numbers: {_listed(plain)}; a change that names one is noticed only where "
        "it is a whole literal. Ids with letters and digits, such as task-0042, are safer"
    )


def _marks(benchmark: BenchmarkRunner) -> tuple[bool, str]:
    marks = sorted(set(benchmark.pass_marks().values()))
    return True, f"a task counts as passed from {' or '.join(f'{mark:g}' for mark in marks[:5])}"


def _reach(seen: dict[str, list[Rollout]], *, own: bool) -> tuple[bool, str]:
    """Only an agent that was given tells for sure; control agents need not pass anything."""
    missed = out_of_reach(r for rollouts in seen.values() for r in rollouts)
    if not missed:
        return True, "rewards are whole, or some reach it"
    return not own, missed if own else f"for the agents tried here, {missed}, if those of your agent look alike"


def _independent(
    engine: RolloutEngine, source: str, tasks: Sequence[Task], seen: dict[str, list[Rollout]]
) -> tuple[bool, str]:
    """Whether the tasks of a trial have luck of their own. Notes the rollouts in `seen`."""
    pairs = [(task.id, trial) for trial in range(1, TRIALS + 1) for task in tasks]
    seen["agent"] = engine.run(source, pairs)
    spread = trial_spread(seen["agent"])
    if spread is None:
        return True, "not measured: with this agent fewer than five tasks vary from trial to trial"
    detail = (
        f"the means of {spread.trials} trials vary {spread.ratio:.1f} times as much as those of {spread.tasks} "
        f"independent tasks; luck gives {spread.bound:.1f} at most"
    )
    if spread.shared:
        detail += ". Tasks of one trial share their luck: draw everything random of a task from seeds[task_id]"
    return not spread.shared, detail


def _broken(seen: dict[str, list[Rollout]]) -> tuple[bool, str]:
    """Tasks that gave no result for any agent: it is the task that is at fault."""
    rollouts = [r for each in seen.values() for r in each]
    working = {r.task_id for r in rollouts if r.valid}
    broken = {r.task_id: r.detail for r in rollouts if r.task_id not in working}
    if not broken:
        return True, "each gave a result for some agent"
    first = next(iter(broken.values()))
    return False, f"{len(broken)} have no result for any agent: {_listed(list(broken))}; the first: {first}"


def _same_tasks(benchmark: BenchmarkRunner) -> tuple[bool, str]:
    first, again, other = benchmark.fingerprint(), benchmark.fingerprint(), type(benchmark)().fingerprint()
    if first != again:
        return False, "two calls of fingerprint() differ: tasks() must always give the same tasks"
    if first != other:
        return False, "a second instance has other tasks: derive them from nothing but the code"
    return True, f"fingerprint {first}"


def _tools(benchmark: BenchmarkRunner, sample: Sequence[Task]) -> tuple[bool, str]:
    most = 0
    for task in sample:
        tools = open_episode(benchmark, task.id, seed=0).tools
        names = [tool["function"]["name"] for tool in tools if tool["type"] == "function"]
        if len(set(names)) < len(tools):
            return False, f"{task.id}: tools must be functions with distinct names, not {_listed(names)}"
        most = max(most, len(names))
    return True, f"at most {most} in one episode"


def _same_episodes(benchmark: BenchmarkRunner, sample: Sequence[Task]) -> tuple[bool, str]:
    """The same seed twice, the first episode worked on before the second: nothing may be shared."""
    for task in sample:
        first, second = _transcript(benchmark, task.id), _transcript(benchmark, task.id)
        if first != second:
            difference = next((a, b) for a, b in zip(first, second, strict=True) if a != b)
            return False, f"{task.id}: two episodes with one seed differ: {difference[0]!r} and {difference[1]!r}"
    return True, f"{len(sample)} tasks opened twice"


def _transcript(benchmark: BenchmarkRunner, task_id: str) -> list[object]:
    episode = open_episode(benchmark, task_id, seed=1)
    seen: list[object] = [episode.instructions, list(episode.tools), episode.opening]
    seen.append(episode.say("Hello, what can I do for you?"))
    score = episode.score()
    if episode.score() != score:
        raise ValueError(f"{task_id}: score() has a side effect: asked twice, it differs")
    return [*seen, score]


def _unknown_tool(benchmark: BenchmarkRunner, sample: Sequence[Task]) -> tuple[bool, str]:
    for task in sample:
        result = open_episode(benchmark, task.id, seed=0).act("no_such_tool", {})
        if not isinstance(result, str) or not result.startswith("Error:"):
            return False, f"{task.id}: a call of an unknown tool must return a text that starts with 'Error:'"
    return True, "answered with an error text"


def _oracle(benchmark: BenchmarkRunner, tasks: Sequence[Task], oracle: Oracle) -> tuple[bool, str]:
    rewards = {task.id: _solve(benchmark, task.id, oracle(task.id)).reward for task in tasks}
    marks = benchmark.pass_marks()
    failed = [task for task, reward in rewards.items() if reward < marks[task]]
    detail = f"mean {sum(rewards.values()) / len(rewards):.3f} over {len(rewards)} tasks"
    return not failed, detail + (f"; not solved by their own oracle: {_listed(failed)}" if failed else "")


def _solve(benchmark: BenchmarkRunner, task_id: str, script: Sequence[object]) -> Score:
    """Play an oracle's script on an episode, outside the sandbox."""
    episode = open_episode(benchmark, task_id, seed=0)
    for step in script:
        match _plain(step):
            case ("call", str(name), dict(arguments)):
                episode.act(name, arguments)
            case ("say", str(text)):
                episode.say(text)
            case ("submit", answer):
                episode.submit(answer)
            case _:
                raise ValueError(f"{task_id}: an oracle calls, says and submits; it cannot {step!r}")
    return episode.score()


def _plain(step: object) -> object:
    """A step of an oracle as a tuple, whichever way it was given."""
    if not isinstance(step, Record):
        return step
    fields = step.model_dump()
    if fields["kind"] == "act":
        return "call", fields["tool"], fields["arguments"]
    return fields["kind"], fields["text"]


def _control(
    engine: RolloutEngine, name: str, tasks: Sequence[Task], seen: dict[str, list[Rollout]], *, hosted: bool
) -> tuple[bool, str]:
    """Notes in `seen` how this control agent ended. Where the benchmark hosts it, it may be no agent at all."""
    rollouts = engine.run(CONTROLS[name], [(task.id, 0) for task in tasks])
    seen[name] = rollouts
    faults = [r for r in rollouts if r.status != "ok" and not (hosted and r.valid)]
    if faults:
        worst = faults[0]
        return False, f"{len(faults)} rollouts ended {worst.status}; {worst.task_id}: {worst.detail}"
    passed = [r.task_id for r in rollouts if r.passed]
    mean = sum(r.reward or 0.0 for r in rollouts) / len(rollouts)
    detail = f"mean {mean:.3f} over {len(rollouts)} tasks, at most {FLOOR} is sound"
    return mean <= FLOOR, detail + (f"; passes {_listed(passed)}" if passed else "")


def _spread(tasks: Sequence[Task], count: int) -> Sequence[Task]:
    """At most `count` tasks, evenly spaced."""
    if len(tasks) <= count:
        return tasks
    return [tasks[i * len(tasks) // count] for i in range(count)]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
