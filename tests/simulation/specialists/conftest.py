"""Drives the simulated specialists the way the loop does: prompts in, messages out, edits applied."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from types import SimpleNamespace
from typing import Any

import pytest
from gateways import open_gateway

from sigmaloop.agents.model_access import ModelEndpoint
from sigmaloop.agents.prompt import render
from sigmaloop.agents.trace_text import trace_text
from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import Score
from sigmaloop.eval.benchmarks.helpdesk.benchmark import Helpdesk
from sigmaloop.eval.session import EpisodeSession
from sigmaloop.records import Cluster, FailureRecord, Task, digest
from sigmaloop.simulation.habits import HABITS
from sigmaloop.simulation.model import SimulatedModel
from sigmaloop.simulation.reading import Reading, read
from sigmaloop.simulation.specialists import answer, engineer
from sigmaloop.simulation.specialists.changes import Plan
from sigmaloop.simulation.specialists.phrasings import PHRASINGS
from sigmaloop.simulation.specialists.request import Request
from sigmaloop.tools.changes.edits import replace_text
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.upstream.upstream import InProcessUpstream

TOOLS = (
    "read_agent",
    "replace_text",
    "search_failures",
    "search_learnings",
    "search_attempts",
    "read_trace",
    "dry_run",
    "FinishedChange",
)
TRACE = """[0] USER: Hi, I am Ann Lee, please return the lamp.
[1] CALL get_order {"order_id": "or_48213"}
[1] RESULT {"order_id": "or_48213"}
[2] CALL return_items {"order_id": "or_48213"}
[2] RESULT {"refund": 12.5}"""


@dataclass(frozen=True)
class Attempt:
    """What one engineer's attempt came to."""

    plan: Plan
    source: str
    calls: int
    hand_in: dict[str, Any]


@pytest.fixture(scope="session")
def shipped() -> str:
    return resources.files("sigmaloop.target_agent").joinpath("agent.py").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def ask() -> Callable[..., dict[str, Any]]:
    """The arguments of the structured answer to a prompt; unusable first answers get their repair turn."""

    def put(name: str, tool: str, *, seed: int = 1, **values: object) -> dict[str, Any]:
        prompt = render(name, setting="An agent serves customers.", **values)
        messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        tools = [{"type": "function", "function": {"name": tool}}]
        for _ in range(2):
            said = answer({"messages": messages, "tools": tools, "seed": seed})
            if said.get("tool_calls"):
                return dict(json.loads(said["tool_calls"][0]["function"]["arguments"]))
            text = said["content"]
            if text.startswith("Here is my answer"):
                return dict(json.loads(text.split("```")[1].removeprefix("json")))
            messages += [said, {"role": "user", "content": "Your answer could not be used."}]
        raise AssertionError("no answer after the repair turn")

    return put


@pytest.fixture(scope="session")
def failure() -> Callable[..., FailureRecord]:
    """A failure of a habit, worded in one of the miner's ways."""

    def make(habit: str, number: int = 0) -> FailureRecord:
        said = PHRASINGS[habit]
        return FailureRecord(
            rollout_id=digest(habit, number),
            task_id=f"train-{number}",
            request_type="return_item",
            batch=1,
            mechanism=said.mechanisms[number % len(said.mechanisms)],
            what_failed="It was not done as asked.",
            root_cause=said.causes[number % len(said.causes)],
            should_have=said.remedies[number % len(said.remedies)],
            severity=3,
        )

    return make


@pytest.fixture(scope="session")
def attempt(failure: Callable[..., FailureRecord], shipped: str) -> Callable[..., Attempt]:
    """One attempt of the simulated engineer on an agent file."""

    def run(
        habit: str,
        seed: int,
        *,
        source: str = shipped,
        attempts: str = "none yet",
        learnings: str = "none yet",
        words: int = 0,
        others: Sequence[str] = (),
        replayed: str = "",
    ) -> Attempt:
        """`others`: habits that are mixed into its cluster; `replayed`: what a replay answers, if it can be called."""
        mined = [failure(habit, words), failure(habit, words + 1), *(failure(other, words) for other in others)]
        prompt = render(
            "harness_engineer",
            setting="An agent serves customers.",
            program="(none)",
            agent=source.rstrip("\n"),
            title=mined[0].mechanism,
            root_cause=mined[0].root_cause,
            diagnosis="none yet",
            failures="\n".join(_shown(f) for f in mined),
            traces=f"== {mined[0].id} ended: badly\n{TRACE}",
            passing="none",
            tools="(not shown)",
            policy="(not shown)",
            attempts=attempts,
            works="none yet",
            rates="none yet",
            others="none yet",
            learnings=learnings,
            attempt=1,
            advice="",
            size=len(source),
            size_limit=60_000,
            calls=16,
            replays=3,
        )
        first = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        return _drive(first, source, seed, replayed)

    return run


def _shown(failure: FailureRecord) -> str:
    return (
        f"- {failure.id} (return_item, severity 3): {failure.mechanism}\n  what failed: {failure.what_failed}\n"
        f"  root cause: {failure.root_cause}\n  should have: {failure.should_have}\n  evidence: none"
    )


def _drive(messages: Sequence[dict[str, Any]], source: str, seed: int, replayed: str) -> Attempt:
    names = (*TOOLS, "replay") if replayed else TOOLS
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    for calls in range(1, 17):
        request = {"messages": messages, "tools": tools, "seed": seed}
        said = answer(request)
        function = said["tool_calls"][0]["function"]
        name, arguments = function["name"], json.loads(function["arguments"])
        if name == "FinishedChange":
            read_request = Request(request)
            return Attempt(engineer.plan_of(read_request, read_request.turns), source, calls, arguments)
        source, result = _use(name, arguments, source)
        result = replayed if name == "replay" else result
        messages = [
            *messages,
            said,
            {"role": "tool", "tool_call_id": said["tool_calls"][0]["id"], "content": result},
        ]
    raise AssertionError("the engineer did not hand in within 16 calls")


def _use(name: str, arguments: dict[str, Any], source: str) -> tuple[str, str]:
    if name == "replace_text":
        try:
            return replace_text(source, arguments["old"], arguments["new"]), "Done."
        except BadInput as error:
            return source, f"Error: {error}"
    return source, {"read_agent": source, "read_trace": TRACE}.get(name, "nothing found")


@pytest.fixture(scope="session")
def reading() -> Callable[[str], Reading]:
    """What the simulated target makes of an agent file."""
    policy = "# Policy\n" + "Follow the ways of the house in all matters. " * 20 + "\nEnd of policy."
    tool = {"type": "function", "function": {"name": "return_items", "description": "Start a return."}}

    def make(source: str) -> Reading:
        agent: dict[str, Any] = {}
        exec(source, agent)
        session = SimpleNamespace(instructions=policy, opening="Hello.", tools=[tool])
        system = tuple(m["content"] for m in agent["build_context"](session) if m["role"] == "system")
        described = agent["describe_tools"](session.tools)
        return read(system, tuple((t["function"]["name"], t["function"]["description"]) for t in described))

    return make


@pytest.fixture(scope="session")
def cluster(failure: Callable[..., FailureRecord]) -> Callable[..., Cluster]:
    def make(number: int, habit: str, size: int = 1) -> Cluster:
        failures = tuple(failure(habit, i) for i in range(size))
        return Cluster(
            id=f"C{number:03d}",
            title=failures[0].mechanism,
            root_cause=failures[0].root_cause,
            created_batch=0,
            failures=failures,
        )

    return make


class Specialists:
    """A model that plays the four roles and nothing else."""

    def complete(self, request: dict[str, Any]) -> dict[str, Any]:
        message = answer(request)
        return {
            "id": "chatcmpl-" + digest(request),
            "object": "chat.completion",
            "created": 0,
            "model": request["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        }


class GatewayAccess:
    """The specialists' access to a model through a real gateway, over HTTP."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    @contextmanager
    def lease(self, role: Any, scope: str) -> Iterator[ModelEndpoint]:
        seed = int(digest(role, scope, size=8), 16) & 0x7FFFFFFF
        with self.gateway.lease(role, scope=scope, seed=seed) as lease:
            yield ModelEndpoint(lease.base_url, lease.token, "specialist", 20.0)


@pytest.fixture(scope="module")
def models() -> Iterator[GatewayAccess]:
    gateway = open_gateway(InProcessUpstream(Specialists()), target="target", specialist="specialist")
    yield GatewayAccess(gateway)
    gateway.stop()


@pytest.fixture(scope="session")
def real_failures(shipped: str) -> list[tuple[str, dict[str, str]]]:
    """Conversations of the shipped agent on helpdesk that fail for one known reason: only this habit strikes."""
    benchmark = Helpdesk()
    agent: dict[str, Any] = {}
    exec(shipped, agent)
    tasks = benchmark.tasks("train")[::3]

    def play(task: Task, *habits: str) -> tuple[Score, EpisodeSession, str]:
        model = SimulatedModel(forced=habits)
        session = EpisodeSession(
            benchmark.open(task.id, seed=0), lambda request: model.complete({**request, "seed": 1})
        )
        told = session.init()

        def complete(messages: Any, tools: Any = None) -> dict[str, Any]:
            return session.llm({"model": "x", "messages": json.loads(json.dumps(messages)), "tools": tools})

        agent["run"](SimpleNamespace(**told, call=session.act, say=session.say, complete=complete))
        return session.score(), session, str(told["instructions"])

    sound = [task for task in tasks if play(task)[0].reward == 1.0]
    found = []
    for habit in HABITS:
        failed = 0
        for task in sound:
            score, session, policy = play(task, habit)
            if score.reward < 1.0 and failed < 3:
                failed += 1
                case = {"trace": trace_text(session.trace), "ending": score.missing, "request_type": task.request_type}
                found.append((habit, {**case, "policy": policy}))
            if failed == 3:
                break
    return found
