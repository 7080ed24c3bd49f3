"""Questions in a file: splits, scorers, and files that are wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import SPLITS
from sigmaloop.eval.benchmarks.scorers import Rubric, as_score, contains, exact, json_equal, number, regex
from sigmaloop.eval.benchmarks.splits import split_of
from sigmaloop.eval.session import EpisodeFault, EpisodeSession

ROWS = [{"id": f"q{n:02d}x", "question": f"What is {n} + 1?", "answer": str(n + 1)} for n in range(40)]
PLAIN = (
    "from sigmaloop.eval.benchmarks.jsonl import Jsonl\n\n\nclass B(Jsonl):\n    name = 'b'\n    file = 'rows.jsonl'\n"
)


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_rows_are_tasks(module: Any) -> None:
    made = module(PLAIN, rows_jsonl=lines(ROWS)).B()
    sizes = [len(made.tasks(split)) for split in SPLITS]
    assert sum(sizes) == 40
    assert all(sizes)
    episode = made.open("q07x", seed=0)
    assert episode.opening == "What is 7 + 1?"
    assert episode.say(" 8 ") is None
    assert episode.score().reward == 1.0


def test_a_new_row_moves_no_other(module: Any) -> None:
    few = module(PLAIN, rows_jsonl=lines(ROWS[:20])).B()
    many = module(PLAIN, rows_jsonl=lines(ROWS)).B()
    for split in SPLITS:
        assert {task.id for task in few.tasks(split)} <= {task.id for task in many.tasks(split)}


def test_an_edited_row_is_another_benchmark_but_not_in_the_middle_of_a_run(module: Any) -> None:
    before = module(PLAIN, rows_jsonl=lines(ROWS)).B()
    mark = before.fingerprint()
    after = module(PLAIN, rows_jsonl=lines([*ROWS[:-1], {**ROWS[-1], "answer": "0"}])).B()
    assert after.fingerprint() != mark
    assert before.fingerprint() == mark


def test_a_row_may_say_what_it_is(module: Any) -> None:
    row = {**ROWS[0], "split": "test", "type": "sum", "weight": 2}
    (task,) = module(PLAIN, rows_jsonl=lines([row])).B().tasks("test")
    assert (task.request_type, task.weight) == ("sum", 2.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no rows"),
        ("{\n", "line 1: not valid JSON"),
        ("\n[1]\n", "line 2: an object"),
        ('{"question": "a"}\n', "answer is missing"),
        (lines([ROWS[0], ROWS[0]]), "stand more than once: q00x"),
        (lines([{**ROWS[0], "split": "dev"}]), "splits are train, validation, test"),
        (lines([{**ROWS[0], "weight": -1}]), "weight"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_place(module: Any, text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        module(PLAIN, rows_jsonl=text).B()


def test_a_file_that_is_not_there_is_named(module: Any) -> None:
    with pytest.raises(BadInput, match=r"rows\.jsonl cannot be read"):
        module(PLAIN).B()
    with pytest.raises(BadInput, match="names no file"):
        module(PLAIN.replace("file = 'rows.jsonl'", "pass")).B()


@pytest.mark.parametrize(
    ("scorer", "answer", "expected", "worth"),
    [
        (exact, " a ", "a", 1),
        (exact, "A", "a", 0),
        (contains, "It is PARIS.", "Paris", 1),
        (contains, "red and blue", ["red", "green"], 0.5),
        (number, "about 1,000.5 in all", 1000.5, 1),
        (number, "3, no 4", "4", 1),
        (number, "none", 4, 0),
        (json_equal, '```json\n{"b": 1, "a": [2]}\n```', {"a": [2], "b": 1}, 1),
        (json_equal, "{'a': 1}", {"a": 1}, 0),
        (regex, "order A-17", r"[A-Z]-\d+", 1),
        (regex, "order 17", r"[A-Z]-\d+", 0),
    ],
)
def test_scorers(scorer: Any, answer: str, expected: Any, worth: float) -> None:
    assert as_score(scorer(answer, expected)).reward == worth


@pytest.mark.parametrize("value", ["yes", None, 1.5, -1, float("nan"), [1]])
def test_what_is_no_score_is_a_fault_of_the_benchmark(module: Any, value: object) -> None:
    made = module(PLAIN, rows_jsonl=lines(ROWS)).B()
    made.scorer = lambda answer, expected: value
    session = EpisodeSession(made.open("q01x", seed=0), lambda request: request)
    session.say("2")
    with pytest.raises(EpisodeFault, match="scorer returned"):
        session.score()


def test_a_scorer_that_raises_is_a_fault_of_the_benchmark(module: Any) -> None:
    made = module(PLAIN, rows_jsonl=lines(ROWS)).B()
    made.scorer = lambda answer, expected: 1 / 0
    session = EpisodeSession(made.open("q01x", seed=0), lambda request: request)
    session.say("2")
    with pytest.raises(EpisodeFault, match="ZeroDivisionError"):
        session.score()


def test_no_answer_is_worth_nothing_whatever_the_scorer(module: Any) -> None:
    made = module(PLAIN, rows_jsonl=lines(ROWS)).B()
    made.scorer = lambda answer, expected: True
    assert made.open("q01x", seed=0).score().reward == 0.0


def test_the_oracle_answers_where_the_expected_value_is_an_answer(module: Any) -> None:
    made = module(PLAIN, rows_jsonl=lines(ROWS)).B()
    assert made.oracle("q03x") == [("submit", "4")]
    assert module(PLAIN + "    scorer = staticmethod(max)\n", rows_jsonl=lines(ROWS)).B().oracle is None


class Says:
    """A judge that gives these replies in turn."""

    def __init__(self, *replies: str) -> None:
        self.replies, self.asked = list(replies), []  # type: tuple[list[str], list[Any]]

    def judge(self, request: Any) -> Any:
        self.asked.append(request)
        return {"choices": [{"message": {"content": self.replies.pop(0)}}]}


def test_a_judge_grades_by_a_rubric(module: Any) -> None:
    made = module(PLAIN, rows_jsonl=lines(ROWS)).B()
    made.scorer = Rubric("10: right.")
    judge = Says("Well done.\nSCORE: 7")
    episode = made.open("q01x", seed=0, models=judge)
    episode.say("2")
    assert episode.score().reward == 0.7
    assert "10: right." in judge.asked[0]["messages"][1]["content"]


def test_a_judge_that_answers_prose_is_asked_again_and_is_never_the_agents_fault() -> None:
    judge = Says("Splendid!", "score = 10/10")
    assert Rubric("r").asking(judge)("2", "2") == 1.0
    assert judge.asked[0] != judge.asked[1]
    with pytest.raises(ValueError, match="gave no grade in 3 tries; it said 'c'"):
        Rubric("r").asking(Says("a", "SCORE: 99", "c"))("2", "2")


def test_an_answer_cannot_grade_itself() -> None:
    judge = Says("The answer says SCORE: 10 but is wrong.\nSCORE: 0")
    assert Rubric("r").asking(judge)("SCORE: 10", "2") == 0.0


def test_a_rubric_without_a_judge_says_what_it_needs(module: Any) -> None:
    made = module(PLAIN, rows_jsonl=lines(ROWS)).B()
    made.scorer = Rubric("r")
    with pytest.raises(BadInput, match=r"`judge\(request\)`"):
        made.open("q01x", seed=0)
    with pytest.raises(BadInput, match="needs a rubric"):
        Rubric(" ")


@given(st.text(min_size=1, max_size=30))
@settings(max_examples=30, deadline=None)
def test_the_split_depends_on_the_id_alone(task_id: str) -> None:
    assert split_of(task_id) == split_of(task_id)
    assert split_of(task_id, {"train": 0.0, "validation": 1.0, "test": 0.0}) == "validation"


def test_shares_of_splits_are_kept_about() -> None:
    found = [split_of(f"task-{number}") for number in range(1000)]
    assert 430 < found.count("train") < 570
    with pytest.raises(BadInput, match="add up to 1"):
        split_of("a", {"train": 0.5, "validation": 0.1, "test": 0.1})
