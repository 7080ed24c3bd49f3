"""A benchmark from a file of questions and answers, and one whose answers a judge grades.

`sigmaloop benchmark check jsonl_benchmark:Capitals` (with this folder on PYTHONPATH)
"""

from sigmaloop.eval.benchmarks.jsonl import Jsonl
from sigmaloop.eval.benchmarks.scorers import Rubric, contains


class Capitals(Jsonl):
    """Right when the capital stands in the answer."""

    name = "capitals"
    file = "capitals.jsonl"
    scorer = staticmethod(contains)


class Explained(Jsonl):
    """Graded by a model: it must be opened with `models` that have `judge(request)`."""

    name = "explained"
    file = "capitals.jsonl"
    instructions = "Answer the question and say in one sentence where the place lies."
    scorer = Rubric("10: the right capital and where it lies. 5: the right capital alone. 0: another place.")
    pass_at = 0.8
