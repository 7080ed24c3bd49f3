"""Counts which kinds of words follow each other in this project's own English, for `simulation.reading.word_order`.

    python perf/word_order.py        prints the table; put it there when the classes of words change

Read are the pages and docstrings of the repository, but nothing of `simulation`, whose texts the table is used on.
"""

from __future__ import annotations

import ast
import math
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from sigmaloop.simulation.reading.word_order import word_class

_TOKEN = re.compile(r"[a-z0-9$%]+(?:[_'][a-z0-9]+)*|[.,;:()!?]|->|[-–—=+]")
_NOT_ENGLISH = re.compile(r"```.*?```|`[^`]*`|\|[^\n]*|<[^>]*>|https?://\S+", re.S)
MOST = 3.0
"""Bound of a table cell, in natural logarithms."""


def texts() -> Iterator[str]:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        if name.startswith(("simulation", "tests/simulation")):
            continue
        if name.endswith(".md"):
            yield _NOT_ENGLISH.sub("", Path(name).read_text())
        elif name.endswith(".py"):
            for node in ast.walk(ast.parse(Path(name).read_text())):
                if (
                    isinstance(node, ast.Expr)
                    and isinstance(node.value, ast.Constant)
                    and isinstance(node.value.value, str)
                ):
                    yield re.sub(r"`[^`]*`", "it", node.value.value)


def sentences() -> Iterator[list[str]]:
    for text in texts():
        for piece in re.split(r"(?<=[.!?:])\s+|\n\s*\n|\n[-*#]", text):
            line = " ".join(piece.lower().split()).rstrip(".!?:").replace("n't", " not")
            if len(line) >= 15:
                yield ["^", *(word_class(token) for token in _TOKEN.findall(line)), "."]


def main() -> None:
    pairs: Counter[tuple[str, str]] = Counter()
    for line in sentences():
        pairs.update(pairwise(line))
    first, second = Counter[str](), Counter[str]()
    for (one, other), n in pairs.items():
        first[one] += n
        second[other] += n
    total = sum(pairs.values())
    names = sorted({*first, *second}, key=lambda name: (".:,^".find(name) % 99, name))
    print(f"{total} pairs\n{''.join(names)}")
    for one in names:
        row = []
        for other in names:
            chance = first[one] * second[other] / total
            few = 0.3 * min(1.0, chance) + 0.05
            ratio = math.log((pairs[one, other] + few) / (chance + few))
            row.append(chr(ord("a") + round((max(-MOST, min(MOST, ratio)) + MOST) * 4)))
        print(one, "".join(row))


if __name__ == "__main__":
    main()
