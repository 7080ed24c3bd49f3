"""A model endpoint on loopback that answers what a test tells it to, and the access to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from loopback import serve_json

from sigmaloop.agents.model_access import ModelEndpoint
from sigmaloop.records import Cluster, FailureRecord, Rollout, RolloutKey, Step, Task


@dataclass
class Endpoint:
    """Answers in turn: a dict is an assistant message (and why it ended), an int or a pair an HTTP status (and what is
    said of it), a callable gets the request."""

    answers: list[Any] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    base_url: str = ""

    model: str = "some-model"
    timeout: float = 10.0
    scopes: list[tuple[str, str]] = field(default_factory=list)

    @contextmanager
    def lease(self, role: str, scope: str) -> Iterator[ModelEndpoint]:
        self.scopes.append((role, scope))
        yield ModelEndpoint(self.base_url, f"token of {scope}", self.model, self.timeout)

    def answer(self, body: bytes, key: str) -> tuple[int, dict[str, Any]]:
        self.raw.append(body)
        self.keys.append(key)
        request = json.loads(body)
        self.requests.append(request)
        said = self.answers.pop(0)
        if callable(said):
            said = said(request)
        if isinstance(said, int):
            said = said, f"status {said}"
        if isinstance(said, tuple):
            return said[0], {"error": {"message": said[1], "type": "test", "code": None}}
        message = {"role": "assistant", "content": None, **said}
        finish = message.pop("finish_reason", "stop")
        return 200, {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": request["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8},
        }


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A live endpoint; it lends access to itself."""
    state = Endpoint()
    with serve_json(lambda asked: state.answer(asked.body, asked.headers.get("Authorization", ""))) as url:
        state.base_url = f"{url}/v1"
        yield state


@pytest.fixture
def call() -> Callable[..., dict[str, Any]]:
    """An assistant message with tool calls: call("name", {...}) or call("name", "raw arguments")."""

    def make(*pairs: Any) -> dict[str, Any]:
        named = zip(pairs[::2], pairs[1::2], strict=True)
        calls = [
            {
                "id": f"call_{i}",
                "type": "function",
                "function": {"name": n, "arguments": a if isinstance(a, str) else json.dumps(a)},
            }
            for i, (n, a) in enumerate(named)
        ]
        return {"content": None, "tool_calls": calls}

    return make


@pytest.fixture
def trace() -> tuple[Step, ...]:
    return (
        Step(index=0, kind="user", text="Hi, please cancel my order R1042, I am Ann Lee."),
        Step(index=1, kind="act", tool="find_customer", arguments={"email": "a@x.org"}, text='{"id": "C7"}'),
        Step(index=2, kind="act", tool="cancel_order", arguments={"order_id": "R1042"}, text='{"ok": true}'),
        Step(index=3, kind="say", text="Your order has been   cancelled.\nAnything else?"),
    )


@pytest.fixture
def task() -> Task:
    return Task(id="train-001", split="train", request_type="cancel_pending_order")


@pytest.fixture
def rollout() -> Rollout:
    key = RolloutKey(agent="ab" * 8, task_id="train-001", trial=0)
    return Rollout(key=key, seed=1, status="ok", reward=0.0, detail="the final state differs")


@pytest.fixture
def failure(rollout: Rollout) -> FailureRecord:
    return FailureRecord(
        rollout_id=rollout.id,
        task_id="train-001",
        request_type="cancel_pending_order",
        batch=2,
        mechanism="change made without confirmation",
        what_failed="The order was cancelled before the customer could correct it.",
        root_cause="The agent changes things before it has a yes.",
        should_have="Before every change list its details and wait for a yes.",
        severity=4,
    )


@pytest.fixture
def cluster(failure: FailureRecord) -> Cluster:
    return Cluster(
        id="C001",
        title="changes without confirmation",
        root_cause=failure.root_cause,
        created_batch=1,
        failures=(failure,),
    )
