"""One robust structured call to a model: what the miner, the clusterer and the judge are made of.

Function calling first, tolerant JSON from plain text otherwise, pydantic validation, and one repair turn that
quotes the error. What is sent depends on the arguments alone: a run that was killed replays its calls from a
journal by the hash of each request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal, Protocol

import openai
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI
from langsmith.run_helpers import LangSmithExtra
from pydantic import BaseModel, SecretStr, ValidationError

from sigmaloop.agents.answers import Answer, UnusableError, clean_answer, read_answer
from sigmaloop.agents.prompt import Prompt, render
from sigmaloop.errors import ModelUnavailable, SpecialistError, UpstreamError, boundary

Role = Literal["failure_miner", "clusterer", "harness_engineer", "gate_judge"]
OVERFLOW = re.compile(r"context.?(length|window|size)|too long|too many (input )?tokens", re.IGNORECASE)
"""How endpoints say that a request holds more than their model can read."""


class Lease(Protocol):
    """The right to make model calls for a while; `token` is what the gateway knows it by."""

    @property
    def token(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def timeout(self) -> float:
        """Seconds for one call, retries of the gateway included."""
        ...


class Door(Protocol):
    """Where specialists get their model calls from: the gateway, as the graph wires it in.

    `lease` opens the right to make calls as one role for one piece of work, `scope`: `mine:<rollout id>`,
    `cluster:<failure id>`, `propose:<candidate id>` or `judge:<candidate id>`. It ends with the block.
    """

    def lease(self, role: Role, scope: str) -> AbstractContextManager[Lease]: ...


class SpecialistModel(ChatOpenAI):
    """A chat model whose answers are clean before anybody reads, keeps or repeats them."""

    keep: str = ""
    """Unseen characters that its answers may have."""

    def invoke(
        self,
        input: LanguageModelInput,  # noqa: A002 - the name that every runnable gives it
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        message = super().invoke(input, config, stop=stop, **kwargs)
        try:
            return clean_answer(message, keep=self.keep)
        except ValueError as fault:
            raise SpecialistError(f"the model's answer cannot be used: {fault}") from fault


class Specialist:
    """A model that is asked one thing at a time."""

    def __init__(self, model: ChatOpenAI) -> None:
        self._model = model
        self._takes_tools = True

    def ask(self, prompt: Prompt, schema: type[Answer], *, check: Callable[[Answer], None] | None = None) -> Answer:
        """The model's answer as a `schema`; `check` raises ValueError for one that fits but cannot be used.

        Raises SpecialistError when it is still unusable after the repair turn, UpstreamError or
        ModelUnavailable when the call itself failed.
        """
        messages: list[BaseMessage] = [SystemMessage(prompt.system), HumanMessage(prompt.user)]
        first = self._call(messages, schema)
        try:
            return read_answer(first, schema, check=check)
        except UnusableError as fault:
            messages += repair_turn(first, fault=str(fault), tool=schema.__name__)
        second = self._call(messages, schema)
        try:
            return read_answer(second, schema, check=check)
        except UnusableError as fault:
            raise SpecialistError(f"{schema.__name__} is unusable after its repair turn: {fault}") from fault

    def _call(self, messages: Sequence[BaseMessage], schema: type[BaseModel]) -> AIMessage:
        try:
            message = self._with_tool(messages, schema) if self._takes_tools else self._plain(messages, schema)
        except SpecialistError:
            if not self._takes_tools:
                raise
            self._takes_tools = False  # a refused request is most often an endpoint without tools
            message = self._plain(messages, schema)
        if not isinstance(message, AIMessage):
            raise UpstreamError(f"the model answered with a {type(message).__name__} instead of a message")
        return message

    def _with_tool(self, messages: Sequence[BaseMessage], schema: type[BaseModel]) -> BaseMessage:
        bound = self._model.bind_tools([tool_schema(schema)], tool_choice=schema.__name__)
        with model_faults():
            return bound.invoke(list(messages))

    def _plain(self, messages: Sequence[BaseMessage], schema: type[BaseModel]) -> BaseMessage:
        form = render("plain", schema=json.dumps(schema.model_json_schema(), sort_keys=True)).system
        with model_faults():
            return self._model.invoke([*messages, HumanMessage(form)])


@contextmanager
def chat_model(door: Door, role: Role, *, scope: str, keep: str = "") -> Iterator[ChatOpenAI]:
    """A chat model whose calls go through the gateway, for as long as the block lasts.

    `keep`: unseen characters that its answers may have.
    """
    with (
        door.lease(role, scope) as lease,
        # The gateway listens on loopback: no proxy of the environment, no certificates to load.
        openai.DefaultHttpxClient(trust_env=False, verify=False, timeout=lease.timeout) as http,
    ):
        yield SpecialistModel(
            model=lease.model,
            base_url=lease.base_url,
            api_key=SecretStr(lease.token),
            http_client=http,
            timeout=lease.timeout,
            max_retries=0,  # the gateway retries
            use_responses_api=False,
            stream_usage=True,
            keep=keep,
        )


@contextmanager
def specialist(door: Door, role: Role, *, scope: str) -> Iterator[Specialist]:
    """A specialist for one piece of work."""
    with chat_model(door, role, scope=scope) as model:
        yield Specialist(model)


@contextmanager
def model_faults() -> Iterator[None]:
    """Say what a failed model call means: refused request, unusable endpoint, or a fault that may pass."""
    try:
        with boundary(UpstreamError, "model call of a specialist"):
            yield
    except UpstreamError as error:
        cause = error.__cause__
        if isinstance(cause, openai.APIStatusError):
            raise _status_error(cause) from cause
        if isinstance(cause, openai.APITimeoutError):
            raise UpstreamError("the gateway did not answer in time", status=504, retryable=True) from cause
        if isinstance(cause, (ValidationError, RecursionError)):  # of the message: the endpoint has answered
            raise SpecialistError(f"the model's answer cannot be read: {type(cause).__name__}") from cause
        raise


def _status_error(error: openai.APIStatusError) -> Exception:
    said = f"the model endpoint answered {error.status_code}: {str(error.message)[:500]}"
    if error.status_code in {400, 413, 422}:
        too_long = "what it has to read no longer fits the model's context: " if OVERFLOW.search(said) else ""
        return SpecialistError(f"{too_long}{said}")
    if error.status_code in {401, 403, 404}:
        return ModelUnavailable(said, status=error.status_code)
    return UpstreamError(said, status=error.status_code, retryable=error.status_code in {408, 429, 503})


def tool_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """The one tool that a structured answer is given through, in OpenAI's form."""
    parameters = schema.model_json_schema()
    description = parameters.pop("description", schema.__name__)
    function = {"name": schema.__name__, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


def repair_turn(message: AIMessage, *, fault: str, tool: str) -> list[BaseMessage]:
    """The unusable answer, its calls answered as endpoints demand, and what is wrong with it."""
    calls = [*message.tool_calls, *message.invalid_tool_calls]
    kept = message if calls or message.text else AIMessage("(no answer)")
    answers = [ToolMessage("Not used, see below.", tool_call_id=call["id"] or "") for call in calls]
    return [kept, *answers, HumanMessage(render("repair", error=fault, tool=tool).system)]


def trace_metadata(role: Role, scope: str, **ids: object) -> LangSmithExtra:
    """What a decision's run in LangSmith is tagged with: who decided, on what.

    The run's own id is the thread id of the graph, which LangGraph puts on every run of the tree.
    """
    return {"metadata": {"role": role, "scope": scope, **ids}, "tags": [role]}
