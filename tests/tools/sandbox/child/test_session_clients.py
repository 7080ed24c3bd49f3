"""The official OpenAI client and ChatOpenAI inside a rollout, over the frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sandbox_tiers import each_tier

from sigmaloop.errors import UpstreamError
from sigmaloop.tools.sandbox.supervisor import Supervisor

CALL = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"id": 7}'}}
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}


class Model:
    """Handlers with a scripted model; everything else is silent."""

    def __init__(self, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self.answer = answer
        self.requests: list[dict[str, Any]] = []

    def init(self) -> dict[str, Any]:
        return {"instructions": "", "tools": [TOOL], "opening": ""}

    def act(self, name: str, arguments: dict[str, Any]) -> str:
        return "found"

    def say(self, text: str) -> str | None:
        return None

    def submit(self, answer: Any) -> None: ...

    def llm(self, request: dict[str, Any]) -> dict[str, Any]:
        self.requests.append(request)
        return self.answer(request)


def respond(request: dict[str, Any]) -> dict[str, Any]:
    """A tool call when tools are offered and none was made yet, else a greeting."""
    calls = bool(request.get("tools")) and request["messages"][-1]["role"] != "tool"
    message = {"role": "assistant", "content": None, "tool_calls": [CALL]} if calls else {
        "role": "assistant", "content": "Good day, é 🙂",
    }  # fmt: skip
    finish = "tool_calls" if calls else "stop"
    return {
        "id": "c1", "object": "chat.completion", "created": 0, "model": "the-model",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }  # fmt: skip


@pytest.fixture(scope="module", params=each_tier())
def supervisor(request: pytest.FixtureRequest) -> Iterator[Supervisor]:
    with Supervisor(step_seconds=30, rollout_seconds=60, cpu_seconds=30, max_steps=20, sandbox=request.param) as made:
        yield made


def run(supervisor: Supervisor, source: str, answer: Callable[[dict[str, Any]], dict[str, Any]] = respond) -> Model:
    model = Model(answer)
    ended = supervisor.run(source, model)
    assert (ended.status, ended.detail) == ("ok", "")
    return model


def test_the_official_client_works_over_the_frames(supervisor: Supervisor) -> None:
    model = run(
        supervisor,
        """
def run(session):
    client = session.openai()
    messages = [{"role": "user", "content": "Hello"}]
    made = client.chat.completions.create(model="any", messages=messages, tools=session.tools)
    assert made.choices[0].message.tool_calls[0].function.arguments == '{"id": 7}'
    made = client.chat.completions.create(model="any", messages=messages, temperature=0.5)
    assert made.choices[0].message.content == "Good day, é 🙂" and made.usage.total_tokens == 5
""",
    )
    hello = [{"role": "user", "content": "Hello"}]
    assert model.requests == [
        {"model": "any", "messages": hello, "tools": [TOOL]},
        {"model": "any", "messages": hello, "temperature": 0.5},
    ]


def test_the_official_client_streams(supervisor: Supervisor) -> None:
    model = run(
        supervisor,
        """
def run(session):
    create = session.openai().chat.completions.create
    messages = [{"role": "user", "content": "Hello"}]
    chunks = list(create(model="any", messages=messages, stream=True, stream_options={"include_usage": True}))
    assert "".join(c.choices[0].delta.content for c in chunks if c.choices) == "Good day, é 🙂"
    assert chunks[-1].usage.total_tokens == 5 and chunks[0].choices[0].finish_reason == "stop"
    chunks = list(create(model="any", messages=messages, tools=session.tools, stream=True))
    assert chunks[0].choices[0].delta.tool_calls[0].function.name == "look_up"
""",
    )
    assert all("stream" not in request and "stream_options" not in request for request in model.requests)


def test_refusals_are_the_clients_own_errors(supervisor: Supervisor) -> None:
    def refuse(request: dict[str, Any]) -> dict[str, Any]:
        raise UpstreamError("n is not allowed", status=400)

    run(
        supervisor,
        """
import openai

def run(session):
    client = session.openai()
    try:
        client.chat.completions.create(model="any", messages=[])
    except openai.BadRequestError as error:
        assert "n is not allowed" in str(error)
    else:
        raise AssertionError
    for call in (lambda: client.responses.create(model="any", input="x"), client.models.list):
        try:
            call()
        except openai.NotFoundError as error:
            assert "only chat completions" in str(error)
        else:
            raise AssertionError
""",
        refuse,
    )


def test_the_langchain_model_works_over_the_frames(supervisor: Supervisor) -> None:
    model = run(
        supervisor,
        """
import asyncio
from langchain_core.messages import HumanMessage

async def stream(model):
    return "".join([chunk.content async for chunk in model.astream("Hello")])

def run(session):
    model = session.chat_model(temperature=0)
    made = model.invoke([HumanMessage("Hello")])
    assert made.content == "Good day, é 🙂" and made.usage_metadata["total_tokens"] == 5
    assert asyncio.run(model.ainvoke("Hello")).content == "Good day, é 🙂"
    assert "".join(chunk.content for chunk in model.stream("Hello")) == "Good day, é 🙂"
    assert asyncio.run(stream(model)) == "Good day, é 🙂"
    assert model.bind_tools(session.tools).invoke("Hello").tool_calls[0]["args"] == {"id": 7}
""",
    )
    assert len(model.requests) == 5
    assert all(request["messages"] == [{"role": "user", "content": "Hello"}] for request in model.requests)


def test_a_langgraph_agent_runs_behind_the_wall(supervisor: Supervisor) -> None:
    model = run(
        supervisor,
        """
from langchain.agents import create_agent

def run(session):
    def look_up(id: int) -> str:
        '''Look something up.'''
        return session.call("look_up", {"id": id})

    agent = create_agent(session.chat_model(), [look_up])
    state = agent.invoke({"messages": [{"role": "user", "content": "Hello"}]})
    session.say(state["messages"][-1].content)
    assert [m.type for m in state["messages"]] == ["human", "ai", "tool", "ai"]
""",
    )
    assert model.requests[1]["messages"][-1]["content"] == "found"


def test_an_agent_that_asks_for_no_client_pays_for_none(supervisor: Supervisor) -> None:
    run(
        supervisor,
        """
import sys

def run(session):
    session.complete([{"role": "user", "content": "Hello"}])
    assert not {"openai", "httpx", "httpx2", "pydantic"} & set(sys.modules)
    assert not any("site-packages" in folder for folder in sys.path)
""",
    )
