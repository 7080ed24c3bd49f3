"""A hand-written repository: files, the ways to break them, and checks that no agent sees.

One text file each, in `repositories/`. Its first line says what the repository is; `words @name@ = a | b` are names
that differ from task to task. Sections begin with `=== `: `file NAME`, `setup` (code before each check), `cases`, and
`bug KIND FILE` with the report of somebody who noticed it, the right lines and the wrong ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

from sigmaloop.records import Record

_SECTION = re.compile(r"^=== (.+)$", re.MULTILINE)
_BUG = re.compile(r"(?P<report>.+)\n<<<<\n(?P<right>.*?)\n====\n(?P<wrong>.*?)\n>>>>", re.DOTALL)
_WORDS = re.compile(r"^words (@\w+@) = (.+)$", re.MULTILINE)
Files = Mapping[str, str]
"""Texts by name; a repository is flat."""


class Bug(Record):
    """One way to break a repository."""

    kind: str
    file: str
    report: str
    """What somebody who uses it noticed."""
    right: str
    wrong: str


class Case(Record):
    """One check: lines of code of which the last one is an expression, and what it must give.

    `expected`: the value's `repr`, or `raises` and the exception's name. Only `code` enters the sandbox, so that no
    repository can pretend to be right.
    """

    code: str
    expected: str


class Repository(Record):
    """A whole one, in order."""

    name: str
    about: str
    words: dict[str, tuple[str, ...]]
    files: dict[str, str]
    setup: str
    cases: tuple[Case, ...]
    bugs: tuple[Bug, ...]

    def named(self, chosen: Mapping[str, str]) -> Repository:
        """The same with a word for each of its `words`."""
        text = self.model_dump_json()
        for mark, word in chosen.items():
            text = text.replace(mark, word)
        return Repository.model_validate_json(text)


def broken(files: Files, bugs: tuple[Bug, ...]) -> dict[str, str] | None:
    """The files with these bugs; None where they get into each other's way."""
    changed = dict(files)
    for bug in bugs:
        if changed[bug.file].count(bug.right) != 1:
            return None
        changed[bug.file] = changed[bug.file].replace(bug.right, bug.wrong)
    return changed


@lru_cache(maxsize=1)
def repositories() -> tuple[Repository, ...]:
    """Every shipped one, by name."""
    folder = resources.files("sigmaloop.eval.benchmarks.coding").joinpath("repositories")
    texts = {place.name: place.read_text(encoding="utf-8") for place in folder.iterdir() if place.name.endswith(".txt")}
    return tuple(parse(name.removesuffix(".txt"), text) for name, text in sorted(texts.items()))


def parse(name: str, text: str) -> Repository:
    """A repository from its text file. Raises ValueError for one that is malformed."""
    head, *rest = _SECTION.split(text)
    sections = list(zip(rest[::2], rest[1::2], strict=True))
    plain = dict(sections)
    return Repository(
        name=name,
        about=head.splitlines()[0],
        words={mark: tuple(word.strip() for word in words.split("|")) for mark, words in _WORDS.findall(head)},
        files={title[5:]: body.strip("\n") + "\n" for title, body in plain.items() if title.startswith("file ")},
        setup=plain["setup"].strip(),
        cases=tuple(_case(block) for block in plain["cases"].strip().split("\n\n")),
        bugs=tuple(_bug(title, body) for title, body in sections if title.startswith("bug ")),
    )


def _case(block: str) -> Case:
    *code, expected = block.splitlines()
    if not code or not all(line.startswith(">>> ") for line in code):
        raise ValueError(f"a check is lines of code and one result: {block!r}")
    return Case(code="\n".join(line[4:] for line in code), expected=expected)


def _bug(title: str, body: str) -> Bug:
    _, kind, file = title.split()
    found = _BUG.fullmatch(body.strip("\n"))
    if found is None:
        raise ValueError(f"{title}: a report, the right lines and the wrong ones are needed")
    return Bug(kind=kind, file=file, **found.groupdict())
