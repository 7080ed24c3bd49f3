"""A slice of helpdesk whose user and judge are models, too; named `asking:Asking` by the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from small import TinyHelpdesk

from sigmaloop.eval.benchmark import BenchmarkModels, Episode, Score
from sigmaloop.records import Split, Task

HELLO = {"messages": [{"role": "user", "content": "Answer with the word: ok"}]}


class Asking(TinyHelpdesk):
    """The user's model is asked before each of the user's turns, the judge's before the score."""

    name = "asking"
    model_roles = ("user", "judge")
    sizes: ClassVar[dict[Split, int]] = {"train": 8, "validation": 3, "test": 2}
    swallows = False
    """Whether a fault of its models is passed over, as a careless benchmark does."""

    def tasks(self, split: Split) -> Sequence[Task]:
        return super().tasks(split)[: self.sizes[split]]

    def open(self, task_id: str, *, seed: int, models: BenchmarkModels) -> Episode:  # type: ignore[override]
        return _Asking(super().open(task_id, seed=seed), models, swallows=self.swallows)


class Swallowing(Asking):
    """The same, with `except Exception: pass`."""

    name = "swallowing"
    swallows = True


class _Asking:
    def __init__(self, episode: Episode, models: BenchmarkModels, *, swallows: bool) -> None:
        self._episode = episode
        self._models = models
        self._swallows = swallows
        self.instructions, self.tools, self.opening = episode.instructions, episode.tools, episode.opening

    def act(self, name: str, arguments: Mapping[str, Any]) -> str:
        return self._episode.act(name, arguments)

    def say(self, text: str) -> str | None:
        self._ask(self._models.user)
        return self._episode.say(text)

    def submit(self, answer: object) -> None:
        self._episode.submit(answer)

    def score(self) -> Score:
        self._ask(self._models.judge)
        return self._episode.score()

    def _ask(self, model: Any) -> None:
        try:
            model(HELLO)
        except Exception as error:
            if not self._swallows:
                raise ValueError("the library's own error") from error
