"""The parent's side of one rollout: an episode outside the sandbox, the agent's requests on the other.

Whatever the agent asks for arrives here as plain JSON and is checked before the episode sees it. What the
parent saw is the trace; the agent can add nothing to it. A benchmark that raises is our fault, not the
agent's: it becomes an `EpisodeFault`, and the rollout an infrastructure fault.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from pydantic import JsonValue

from sigmaloop.errors import SigmaLoopError, UpstreamError
from sigmaloop.eval.benchmark import Episode, Score
from sigmaloop.eval.model_turns import Hidden, ModelTurns, Refused
from sigmaloop.records import Course, JsonObject, ModelCall, Step, StepKind

TEXT_LIMIT = 20_000
"""Most characters of a message or of arguments that an agent may send, and of a text kept in the trace."""


class EpisodeFault(SigmaLoopError):
    """The benchmark, not the agent, failed in the middle of a rollout."""


class EpisodeSession:
    """What the sandbox calls for one rollout; it is never handed the task's id or the score."""

    def __init__(self, episode: Episode, complete: Callable[[JsonObject], JsonObject]) -> None:
        """`complete` answers the agent's model calls."""
        self._episode = episode
        self._complete = complete
        self._over = False
        self._steps: list[Step] = []
        self._began = time.perf_counter()
        self._seen: list[float] = []
        self._calls: list[ModelCall] = []
        self._turns = ModelTurns()
        self.fault: UpstreamError | None = None
        """The model's fault that ended the rollout; the sandbox passes on no more than its text."""

    @property
    def trace(self) -> tuple[Step, ...]:
        """Every visible event so far, the user's opening first."""
        return tuple(self._steps)

    @property
    def course(self) -> Course:
        """When each step was seen, and after how many of them each model call was answered: no more of it is known."""
        return Course(calls=tuple(self._calls), seen=tuple(self._seen))

    def init(self) -> JsonObject:
        """What every agent is given first, the same kind for every task of every split."""
        with self._ours("opening the episode"):
            opening = _text(self._episode.opening)
            shown = {
                "instructions": _text(self._episode.instructions),
                "tools": copy.deepcopy(list(self._episode.tools)),
                "opening": opening,
            }
            json.dumps(shown, allow_nan=False)
        if not self._steps:
            self._see("user", opening)
        return shown

    def act(self, name: str, arguments: JsonObject) -> str:
        """Make a tool call; what cannot be one comes back as a text that starts with `Error:`."""
        asked = self._turns.act(name, arguments)
        objection = self._objection(name, arguments)
        if objection:
            result = f"Error: {objection}"
        else:
            with self._ours(f"tool {name}"):
                result = _text(self._episode.act(name, copy.deepcopy(arguments)))
        kept = arguments if isinstance(arguments, dict) and _size(arguments) <= TEXT_LIMIT else {}
        self._see("act", result, tool=str(name)[:200], arguments=kept, by_code=not asked)
        return result

    def say(self, text: str) -> str | None:
        """Speak to the user; None when the conversation is over, now or already."""
        if self._over:
            return None
        words = text[:TEXT_LIMIT]
        self._show(self._turns.say(words))
        self._see("say", words)
        with self._ours("the user's answer"):
            answer = self._episode.say(words)
            answer = None if answer is None else _text(answer)
        if answer is None:
            self._over = True
        else:
            self._see("user", answer)
        return answer

    def submit(self, answer: JsonValue) -> None:
        """Hand in the answer of a one-shot task; the first one counts."""
        if self._over:
            return
        self._over = True
        self._see("submit", answer if isinstance(answer, str) else json.dumps(answer))
        with self._ours("taking the answer"):
            self._episode.submit(copy.deepcopy(answer))

    def llm(self, request: JsonObject) -> JsonObject:
        """A model call. Statuses below 500 are the agent's own doing; the others are a fault of ours."""
        self._show(self._turns.request(request.get("messages")))
        try:
            answer = self._complete(request)
        except UpstreamError as error:
            if error.status >= 500:  # the others reach the agent, or end it
                self.fault = error
            else:
                self._show(self._turns.failed(str(error)))
            raise
        self._calls.append(ModelCall(step=len(self._steps)))
        self._turns.reply(answer)
        return answer

    def fail(self, detail: str) -> None:
        """The agent ended in an error: the last thing in its trace."""
        self._see("error", detail)

    def score(self) -> Score:
        """The episode's own score. Raises EpisodeFault when it is none."""
        with self._ours("scoring"):
            score = self._episode.score()
            if not isinstance(score, Score):
                raise TypeError(f"score() returned {type(score).__name__}, not a Score")
            if not all(math.isfinite(part) for part in (score.reward, *score.components.values())):
                raise ValueError("a score must be finite")
            return score

    def _objection(self, name: str, arguments: object) -> str | None:
        if self._over:
            return "the conversation is over"
        if not isinstance(arguments, dict):
            return f"the arguments of {name[:200]} must be a JSON object, not {type(arguments).__name__}"
        if _size(arguments) > TEXT_LIMIT:
            return f"the arguments of {name[:200]} are too large"
        return None

    def _show(self, hidden: Sequence[Hidden]) -> None:
        """Put into the trace what came to light of the model calls before."""
        for one in hidden:
            if isinstance(one, Refused):
                self._see("refused", one.told, tool=one.tool[:200], arguments=one.arguments)
            else:
                self._see("model", one.text)

    def _see(
        self,
        kind: StepKind,
        text: str,
        *,
        tool: str = "",
        arguments: Mapping[str, object] | None = None,
        by_code: bool = False,
    ) -> None:
        kept = text if len(text) <= TEXT_LIMIT else f"{text[:TEXT_LIMIT]}… ({len(text)} characters)"
        self._seen.append(round(time.perf_counter() - self._began, 3))
        self._steps.append(
            Step(
                index=len(self._steps),
                kind=kind,
                text=kept,
                tool=tool,
                arguments=copy.deepcopy(dict(arguments or {})),
                by_code=by_code,
            )
        )

    @contextmanager
    def _ours(self, doing: str) -> Iterator[None]:
        """The boundary to the benchmark's code: whatever it raises is an infrastructure fault."""
        try:
            yield
        except Exception as error:
            raise EpisodeFault(f"benchmark: {doing}: {type(error).__name__}: {error}") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text was expected, not {type(value).__name__}")
    return value


def _size(arguments: Mapping[str, object]) -> int:
    return len(json.dumps(arguments, default=str))
