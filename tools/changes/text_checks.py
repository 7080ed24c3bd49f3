"""What a change to a file that is no program may not add, and when two such files say the same."""

from __future__ import annotations

import difflib
import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from sigmaloop.tools.changes.file_kinds import Kind, UnparsableError, parsed, scalars
from sigmaloop.tools.changes.static_checks import LONGEST_WORD, Violation

_MARKED = re.compile(r"`([^`]+)`|\"([^\"]+)\"|'([^']+)'")
_LAYOUT = " \t>*+#-"


def values(text: str, kind: Kind) -> list[str]:
    """Keys and single values; of a text without grammar its lines, and what stands in quotes or code marks.

    Raises UnparsableError for a file that does not keep to its grammar, is nested too deep, or unfolds into too much.
    """
    if kind in ("text", "foreign"):
        lines = text.split("\n")
        marked = [part for line in lines for found in _MARKED.findall(line) for part in found if part]
        return [*(line.strip(_LAYOUT) for line in lines), *marked]
    try:
        return scalars(parsed(text, kind))
    except UnparsableError:
        raise
    except ValueError as error:  # a number of more digits than Python writes
        raise UnparsableError(f"it holds a value that cannot be written out: {error}") from None


def spoken_text(text: str, kind: Kind) -> list[str]:
    """All that a file says: as it is written, as it reads once parsed, and its lines backwards."""
    try:
        read = values(text, kind)
    except UnparsableError:
        read = []
    plain = [text, html.unescape(text), re.sub(r"[*_`~\\]+", "", text), " ".join(read), *read]
    unescaped = [re.sub(r"%([0-9A-Fa-f]{2})", lambda m: chr(int(m[1], 16)), text)] if "%" in text else []
    return list(dict.fromkeys([*plain, *unescaped, *(line[::-1] for line in text.splitlines() if len(line) <= 400)]))


def new_text_violations(parent: str, text: str) -> list[Violation]:
    """What the change adds that nobody can read, in the order of lines."""
    had = Counter(violation.what for violation in _violations(parent))
    new = []
    for violation in _violations(text):
        if had[violation.what] > 0:
            had[violation.what] -= 1
        else:
            new.append(violation)
    return new


def _violations(text: str) -> Iterator[Violation]:
    for number, line in enumerate(text.split("\n"), start=1):
        longest = max((len(word) for word in line.split()), default=0)
        if longest > LONGEST_WORD:
            yield Violation(
                f"it holds a text with {longest} characters and no space, which is data that nobody can read", number
            )
        for character in line:
            if unicodedata.category(character) in ("Cc", "Cf", "Co") and character != "\t":
                yield Violation(f"it holds a character that nobody sees (U+{ord(character):04X})", number)


def same_text(a: str, b: str, kind: Kind) -> bool:
    """Whether two files say the same: equal values where there is a grammar, equal words in equal lines elsewhere."""
    if kind in ("text", "foreign"):
        return _lines(a) == _lines(b)
    try:
        first, second = parsed(a, kind), parsed(b, kind)
        return repr(first) == repr(second)
    except (UnparsableError, RecursionError):
        return a == b


def text_edit(parent: str, text: str) -> tuple[str, ...]:
    """Removed (`-`) and added (`+`) lines, in order, layout aside."""
    lines = list(difflib.unified_diff(_lines(parent), _lines(text), n=0, lineterm=""))
    return tuple(line for line in lines[2:] if line[:1] in "+-" and line[1:].strip())


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.split("\n") if line.strip()]
