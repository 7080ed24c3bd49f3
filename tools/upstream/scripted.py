"""A model that says what it was told to: the test double that ships, for tests and dry runs.

model = ScriptedModel([tool_call("find_order", {"id": "A1"}), "It is on its way."])
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Sequence

from sigmaloop.errors import UpstreamError
from sigmaloop.tools.json_types import Json

Output = str | Json | BaseException
"""A text; a message (with `tool_calls`, perhaps); a whole response (with `choices`); an error to raise."""


class ScriptedModel:
    """An upstream that gives the listed outputs in turn and keeps the requests that it saw.

    When they are used up it raises UpstreamError, or, with `repeat`, gives the last one again and again.
    Same outputs and same requests: same responses, ids and token counts included. Thread-safe.
    """

    def __init__(self, outputs: Sequence[Output], *, repeat: bool = False) -> None:
        if repeat and not outputs:
            raise ValueError("repeat needs at least one output")
        self._outputs = tuple(outputs)
        self._repeat = repeat
        self._lock = threading.Lock()
        self._requests: list[Json] = []

    @property
    def requests(self) -> list[Json]:
        """The requests in the order in which they came."""
        with self._lock:
            return list(self._requests)

    def complete(self, request: Json) -> Json:
        with self._lock:
            turn = len(self._requests)
            self._requests.append(copy.deepcopy(request))
        if turn >= len(self._outputs) and not self._repeat:
            raise UpstreamError(
                f"the scripted model has {len(self._outputs)} outputs and was asked {turn + 1} times",
                status=500,
            )
        output = self._outputs[min(turn, len(self._outputs) - 1)]
        if isinstance(output, BaseException):
            raise output
        return _response(output, request, turn)

    def embeddings(self, request: Json) -> Json:
        raise UpstreamError("the scripted model makes no embeddings", status=404)

    def close(self) -> None:
        """Holds nothing."""


def tool_call(name: str, arguments: Json | str, *, content: str | None = None) -> Json:
    """A message that calls one tool; `arguments` as a text go out as they are, malformed or not."""
    return tool_calls((name, arguments), content=content)


def tool_calls(*calls: tuple[str, Json | str], content: str | None = None) -> Json:
    """A message that calls several tools at once; the model numbers the calls when it says them."""
    listed = [
        {
            "type": "function",
            "function": {"name": name, "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments)},
        }
        for name, arguments in calls
    ]
    return {"role": "assistant", "content": content, "tool_calls": listed}


def _response(output: str | Json, request: Json, turn: int) -> Json:
    if isinstance(output, dict) and "choices" in output:
        return copy.deepcopy(output)
    message: Json = {"role": "assistant", "content": None}
    message |= {"content": output} if isinstance(output, str) else copy.deepcopy(output)
    for index, call in enumerate(message.get("tool_calls") or []):
        call.setdefault("id", f"call_{turn}_{index}")
    input_tokens, output_tokens = (_tokens(part) for part in (request.get("messages"), message))
    return {
        "id": f"scripted-{turn}",
        "object": "chat.completion",
        "created": 0,
        "model": request.get("model", "scripted"),
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": "tool_calls" if message.get("tool_calls") else "stop",
            }
        ],
        "usage": {
            "prompt_tokens": input_tokens,
            "completion_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens,
        },
    }


def _tokens(part: object) -> int:
    """One for every four characters, as in English text."""
    return -(-len(json.dumps(part, ensure_ascii=False)) // 4)
