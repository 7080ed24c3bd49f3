"""Where the gateway sends a model call: an OpenAI-compatible endpoint, or a model in this process.

Statuses tell whose doing a failure is: 4xx is the request's (a caller may see it), 5xx is the endpoint's (an
infrastructure fault, no evidence).
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from sigmaloop.errors import UpstreamError, boundary
from sigmaloop.tools.gateway.call import Call
from sigmaloop.tools.gateway.quoting import excerpt
from sigmaloop.tools.json_types import Json
from sigmaloop.tools.upstream.answers import answer_fault, mend, unfinished
from sigmaloop.tools.upstream.http import HttpUpstream

__all__ = ["Endpoint", "HttpUpstream", "InProcessUpstream", "Model", "Upstream"]


class Upstream(Protocol):
    """Answers model calls.

    `complete` takes an OpenAI chat.completions request and returns the whole response; `embeddings` likewise.
    Both are called from many threads and raise UpstreamError: status 4xx when the request is at fault, 5xx
    otherwise, or ModelUnavailable, saying what to do, if the endpoint or the model cannot be used at all.
    """

    def complete(self, request: Json) -> Json: ...
    def embeddings(self, request: Json) -> Json: ...
    def close(self) -> None: ...


@runtime_checkable
class Endpoint(Protocol):
    """An upstream whose calls can be followed: cancelled, streamed, and charged for tries that were lost.

    `ask` is `complete` or `embeddings` by its path, `chat/completions` or `embeddings`. It tells the call of every
    try that may have been billed without a whole answer (`Call.lose`) and makes no other one if that says so.
    For a streaming call it delivers the chunks as they come, and returns what they add up to.
    """

    def ask(self, path: str, request: Json, call: Call) -> Json: ...


class Model(Protocol):
    """Anything that answers a chat.completions request in this process."""

    def complete(self, request: Json) -> Json: ...


class InProcessUpstream:
    """A model that is an object of this process, such as the simulated one."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def complete(self, request: Json) -> Json:
        try:
            with boundary(UpstreamError, "the model in this process failed"):
                answer = self.model.complete(request)
        except UpstreamError as error:
            if error.__cause__ is None:
                raise
            # It may name what it was asked.
            cause = f"{type(error.__cause__).__name__}: {excerpt(str(error.__cause__))}"
            raise UpstreamError(f"the model in this process failed: {cause}") from error.__cause__
        mend(answer, request)
        fault = answer_fault(answer, "choices") or unfinished(answer)
        if fault:
            raise UpstreamError(f"the model in this process gave no usable answer: {fault}")
        return answer

    def embeddings(self, request: Json) -> Json:
        raise UpstreamError("the model in this process makes no embeddings; use embedder hash-v1", status=404)

    def close(self) -> None:
        """Holds nothing."""
