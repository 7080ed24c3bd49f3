"""How does this endpoint want to be asked? Found out with a few real requests before anything is measured.

A plain call, then a tool round trip (call, result, second call), with the role's own parameters. A refusal that names
a field changes the wording and is asked again; everything else that goes wrong is a reason not to begin.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from sigmaloop.endpoints import RoleModel, ToolChoice
from sigmaloop.errors import ModelUnavailable, UpstreamError
from sigmaloop.records import Record
from sigmaloop.tools.gateway.pins import pins, worded
from sigmaloop.tools.gateway.provider_fields import ProviderFields
from sigmaloop.tools.json_types import Json
from sigmaloop.tools.upstream.answers import cut_off

MOST_REQUESTS = 8
MOST_CHANGES = 6
TOOL: Json = {
    "type": "function",
    "function": {
        "name": "find_order",
        "description": "Look up an order by its number.",
        "parameters": {
            "type": "object",
            "properties": {"number": {"type": "string"}},
            "required": ["number"],
        },
    },
}
WEAKER: dict[ToolChoice, ToolChoice] = {"named": "required", "required": "free"}


class Asked(Protocol):
    """What can be probed."""

    def complete(self, request: Json) -> Json: ...
    def embeddings(self, request: Json) -> Json: ...


class Probed(Record):
    """What a probe found."""

    model: RoleModel
    """As it has to be asked."""
    changes: tuple[str, ...] = ()
    """What the endpoint did not take, and what is done about it."""
    notes: tuple[str, ...] = ()
    requests: int = 0
    seconds: float = 0.0
    """Until the first whole answer."""


def probe(upstream: Asked, model: RoleModel) -> Probed:
    """Raises ModelUnavailable, saying what to do, if the model cannot be used."""
    return _Probe(upstream, model).run()


def probe_embeddings(upstream: Asked, model: RoleModel) -> Probed:
    """The same for a model that makes vectors: one request."""
    began = time.perf_counter()
    try:
        upstream.embeddings({"model": model.model, "input": ["ok"]})
    except ModelUnavailable:
        raise
    except UpstreamError as error:
        raise _unusable(model, str(error)) from None
    return Probed(model=model, requests=1, seconds=time.perf_counter() - began)


class _Probe:
    def __init__(self, upstream: Asked, model: RoleModel) -> None:
        self._upstream = upstream
        self._model = model
        self._changes: list[str] = []
        self._requests = 0
        self._again = True
        """Whether a passing fault may be asked once more."""

    def run(self) -> Probed:
        began = time.perf_counter()
        plain = self._ask(lambda: {"messages": [{"role": "user", "content": "Answer with the word: ok"}]})
        seconds = time.perf_counter() - began
        self._check_words(plain)
        notes = self._round_trip()
        return Probed(
            model=self._model,
            changes=tuple(self._changes),
            notes=notes,
            requests=self._requests,
            seconds=round(seconds, 3),
        )

    def _round_trip(self) -> tuple[str, ...]:
        """A call, its result, the second call: this is where signatures are missed that were not passed back."""
        opening: list[Json] = [{"role": "user", "content": "Where is order A-17? Use the tool."}]
        first = self._ask(lambda: self._with_tool(opening, demanded=True))
        message = first["choices"][0]["message"]
        calls = message.get("tool_calls")
        if not calls:
            self._check_words(first)
            return ("made no tool call when one was asked for",)
        added = ProviderFields()
        added.keep(first)
        said = {"role": "assistant", "content": message.get("content"), "tool_calls": [_bare(call) for call in calls]}
        results = [{"role": "tool", "tool_call_id": call["id"], "content": "On its way."} for call in calls]

        def second() -> Json:
            request = self._with_tool([*opening, dict(said), *results], demanded=False)
            added.put_back(request)
            return request

        answer = self._ask(second)
        if not answer["choices"][0]["message"].get("tool_calls"):
            self._check_words(answer)
        return ()

    def _with_tool(self, messages: list[Json], *, demanded: bool) -> Json:
        request: Json = {"messages": messages, "tools": [TOOL]}
        if demanded:
            request["tool_choice"] = {"type": "function", "function": {"name": TOOL["function"]["name"]}}
            request["parallel_tool_calls"] = False
        return worded(request, self._model)

    def _ask(self, make: Callable[[], Json]) -> Json:
        while self._requests < MOST_REQUESTS:
            self._requests += 1
            try:
                return self._upstream.complete({**make(), **pins(self._model, seed=0)})
            except ModelUnavailable as refused:
                self._change(refused)
            except UpstreamError as error:
                if error.status < 500 or not self._again:
                    raise _unusable(self._model, str(error)) from None
                self._again = False
        raise _unusable(self._model, f"after {MOST_REQUESTS} requests it still refuses: {'; '.join(self._changes)}")

    def _change(self, refused: ModelUnavailable) -> None:
        """Say it in another way; raises what was refused where there is none."""
        change = _without(self._model, refused.parameter)
        if change is None or len(self._changes) == MOST_CHANGES:
            advice = f"; take {refused.parameter} out of [models.{self._model.role}]" if refused.parameter else ""
            raise ModelUnavailable(
                f"{refused}{advice}", status=refused.status, code=refused.code, parameter=refused.parameter
            ) from None
        fields, words = change
        self._model = self._model.model_copy(update=fields)
        self._changes.append(words)

    def _check_words(self, answer: Json) -> None:
        """An answer with nothing in it measures nothing."""
        message = answer["choices"][0]["message"]
        if any(message.get(part) for part in ("content", "refusal", "tool_calls")):
            return
        if cut_off(answer):
            raise _unusable(
                self._model,
                "its answer was cut off before its first word (finish_reason length): it thinks longer than "
                f"max_tokens {self._model.max_tokens} allows; set a larger max_tokens for it, or less reasoning_effort",
            )
        reason = answer["choices"][0].get("finish_reason")
        raise _unusable(self._model, f"its answer is empty (finish_reason {reason})")


def _without(model: RoleModel, parameter: str) -> tuple[dict[str, Any], str] | None:
    """The change that does without a field, and its words; None: there is none, or it was made already."""
    if parameter == "max_tokens" and model.token_field == "max_tokens":
        return {"token_field": "max_completion_tokens"}, "max_completion_tokens in place of max_tokens"
    if parameter == "temperature" and model.temperature is not None:
        return {"temperature": None}, "temperature left out: the endpoint chooses it"
    if parameter == "seed" and model.seed:
        return {"seed": False}, "seed left out: repeated calls differ more"
    if parameter == "n" and model.n:
        return {"n": False}, "n left out"
    if parameter == "parallel_tool_calls" and model.parallel_tool_calls:
        return {"parallel_tool_calls": False}, "parallel_tool_calls left out"
    if parameter == "stream" and model.stream == "off":
        return {"stream": "on"}, "answers are streamed"
    if parameter == "stream_options" and model.stream == "on":
        return {"stream": "plain"}, "answers are streamed without usage, which is estimated"
    if parameter == "tool_choice" and model.tool_choice in WEAKER:
        weaker = WEAKER[model.tool_choice]
        words = {"required": "a tool cannot be demanded by name: some tool is", "free": "no tool can be demanded"}
        return {"tool_choice": weaker}, words[weaker]
    return None


def _bare(call: Json) -> Json:
    """A call as a client sends it back."""
    function = {"name": call["function"]["name"], "arguments": call["function"]["arguments"]}
    return {"id": call["id"], "type": "function", "function": function}


def _unusable(model: RoleModel, why: str) -> ModelUnavailable:
    return ModelUnavailable(f"model {model.model!r} cannot be used: {why}", status=503)
