"""A model in this process that fails."""

from __future__ import annotations

from typing import Any

import pytest

from sigmaloop.errors import UpstreamError
from sigmaloop.tools.upstream.upstream import InProcessUpstream

pytestmark = pytest.mark.usefixtures("no_leaks")


ASK = {"model": "some-model", "messages": [{"role": "user", "content": "Hello"}]}


class Broken:
    """A model that fails, or answers nonsense."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def complete(self, request: dict[str, Any]) -> dict[str, Any]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[no-any-return]


def test_an_error_of_a_model_in_this_process_is_an_upstream_error() -> None:
    for answer, words in [
        (ZeroDivisionError("division"), "failed: ZeroDivisionError: division"),
        ({"choices": []}, "no choices"),
        (None, "no JSON object"),
        ({"choices": [{"message": {"tool_calls": [{"function": {"arguments": "{}"}}]}}]}, "malformed tool calls"),
    ]:
        with pytest.raises(UpstreamError, match=words) as caught:
            InProcessUpstream(Broken(answer)).complete(ASK)
        assert caught.value.status >= 500
    with pytest.raises(UpstreamError) as caught:
        InProcessUpstream(Broken(UpstreamError("no", status=400))).complete(ASK)
    assert caught.value.status == 400
