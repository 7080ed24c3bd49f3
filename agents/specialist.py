"""One robust structured call to a model, as the miner, the clusterer and the judge make it.

Function calling first, tolerant JSON from plain text otherwise, pydantic validation, and one repair turn that
quotes the error. What is sent depends on the arguments alone: a run that was killed replays its calls from a
journal by the hash of each request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import openai
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI
from langsmith import traceable
from langsmith.run_helpers import LangSmithExtra
from pydantic import BaseModel, SecretStr, ValidationError

from sigmaloop.agents.answers import Answer, JsonObject, UnusableError, clean_answer, read_answer
from sigmaloop.agents.model_access import ModelAccess, Role
from sigmaloop.agents.prompt import Prompt, render
from sigmaloop.errors import ModelUnavailable, SpecialistError, UpstreamError, boundary

OVERFLOW = re.compile(r"context.?(length|window|size)|too long|too many (input )?tokens", re.IGNORECASE)
"""How endpoints say that a request holds more than their model can read."""


class SpecialistModel(ChatOpenAI):
    """A chat model whose answers are cleaned before anything reads or stores them."""

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

    def ask(
        self,
        prompt: Prompt,
        schema: type[Answer],
        *,
        check: Callable[[Answer], None] | None = None,
        wish: Callable[[Answer], None] | None = None,
    ) -> Answer:
        """The model's answer as a `schema`; `check` raises ValueError for one that fits but cannot be used.

        `wish` raises ValueError for one that could be better: it is told so once, and then taken as it is.

        Raises SpecialistError when it is still unusable after the repair turn, UpstreamError or
        ModelUnavailable when the call itself failed.
        """
        messages: list[BaseMessage] = [SystemMessage(prompt.system), HumanMessage(prompt.user)]
        first = self._call(messages, schema)
        usable: Answer | None = None
        try:
            usable = read_answer(first, schema, check=check)
            if wish is not None:
                wish(usable)
            return usable
        except ValueError as fault:
            messages += repair_turn(first, fault=str(fault), tool=schema.__name__)
        second = self._call(messages, schema)
        try:
            return read_answer(second, schema, check=check)
        except UnusableError as fault:
            if usable is not None:
                return usable
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
def chat_model(models: ModelAccess, role: Role, *, scope: str, keep: str = "") -> Iterator[ChatOpenAI]:
    """A chat model whose calls go through the gateway, for as long as the block lasts.

    `keep`: unseen characters that its answers may have.
    """
    with (
        models.lease(role, scope) as endpoint,
        # The gateway listens on loopback: no proxy of the environment, no certificates to load.
        openai.DefaultHttpxClient(trust_env=False, verify=False, timeout=endpoint.timeout) as http,
    ):
        yield SpecialistModel(
            model=endpoint.model,
            base_url=endpoint.base_url,
            api_key=SecretStr(endpoint.token),
            http_client=http,
            timeout=endpoint.timeout,
            max_retries=0,  # the gateway retries
            use_responses_api=False,
            stream_usage=True,
            keep=keep,
        )


@contextmanager
def specialist(models: ModelAccess, role: Role, *, scope: str) -> Iterator[Specialist]:
    """A specialist for one piece of work."""
    with chat_model(models, role, scope=scope) as model:
        yield Specialist(model)


def decide(
    models: ModelAccess,
    role: Role,
    prompt: Prompt,
    schema: type[Answer],
    *,
    scope: str,
    about: Mapping[str, object],
    check: Callable[[Answer], None] | None = None,
    wish: Callable[[Answer], None] | None = None,
) -> Answer:
    """One decision of a specialist, as `Specialist.ask` makes it: a run of its own in LangSmith, named by its role.

    `about` are the ids that it is tagged with there; the model is not shown them.
    """

    @traceable(run_type="chain")
    def traced(*, prompt: Prompt, scope: str) -> Answer:
        with specialist(models, role, scope=scope) as model:
            return model.ask(prompt, schema, check=check, wish=wish)

    return traced(prompt=prompt, scope=scope, langsmith_extra=trace_metadata(role, scope, about))


@contextmanager
def model_faults() -> Iterator[None]:
    """Raise what a failed model call means: a refused request, an unusable endpoint, or a passing fault."""
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
    message = f"the model endpoint answered {error.status_code}: {str(error.message)[:500]}"
    if error.status_code in {400, 413, 422}:
        too_long = "what it has to read no longer fits the model's context: " if OVERFLOW.search(message) else ""
        return SpecialistError(f"{too_long}{message}")
    if error.status_code in {401, 403, 404}:
        return ModelUnavailable(message, status=error.status_code)
    return UpstreamError(message, status=error.status_code, retryable=error.status_code in {408, 429, 503})


def tool_schema(schema: type[BaseModel]) -> JsonObject:
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


def trace_metadata(role: Role, scope: str, about: Mapping[str, object]) -> LangSmithExtra:
    """How a decision's run in LangSmith is named and tagged: who decided, on what.

    The run's own id is the thread id of the graph, which LangGraph puts on every run of the tree.
    """
    return {"name": role, "metadata": {"role": role, "scope": scope, **about}, "tags": [role]}
