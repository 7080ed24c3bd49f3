"""Does a change hold a piece of the tasks themselves: an id, an order number, a sentence of a customer?

A rule that names an instance is no improvement, it is the answer to a test. Scanned are literals, comments and
names, as they are written and as the program would put them together. What the policy says, what the parent agent
says and what many tasks say alike is public language.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache

from sigmaloop.tools.changes.file_kinds import Kind
from sigmaloop.tools.changes.static_checks import comments
from sigmaloop.tools.changes.text_checks import spoken_text

WORDS = 6
"""Words in a row that are a quotation."""
COMMON = 3
"""Texts in which something must stand to be nobody's own."""
_TOKEN_LENGTH = 5
"""Shortest word with a digit in it that can mark an instance, such as an order number."""
_WORD = re.compile(r"[^\W_]+")
_MARK = re.compile(r"[\w.+@#-]*\d[\w.+@#-]*")

_Marks = tuple[frozenset[tuple[str, ...]], frozenset[str]]


def leaks(
    parent_source: str,
    source: str,
    *,
    task_ids: Collection[str] = (),
    texts: Sequence[str] = (),
    public: str = "",
    kind: Kind = "python",
) -> list[str]:
    """What the change quotes from the tasks, as short descriptions; empty when it is clean."""
    before, after = (spoken(text) if kind == "python" else spoken_text(text, kind) for text in (parent_source, source))
    leaks = [f"the task id {name}" for name in sorted(task_ids) if _names(after, name) and not _names(before, name)]
    phrases, marks = _own_marks(tuple(texts), public)
    phrases_before = {phrase for text in before for phrase in _phrases(words(text))}
    quoted = {p for text in after for p in _phrases(words(text)) if p in phrases and p not in phrases_before}
    leaks += [f'words of a task: "{" ".join(phrase)}"' for phrase in sorted(quoted)]
    marks_before = {mark for text in before for mark in _marks(text)}
    leaks += sorted(
        f"a task's own {mark}"
        for mark in {m for text in after for m in _marks(text)} & marks
        if mark not in marks_before
    )
    return leaks


def spoken(source: str) -> list[str]:
    """Every text of a program: literals, what expressions join from them (also backwards), comments, names."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [source]
    texts = [text for _, text in comments(source)]
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.arg, ast.FunctionDef, ast.Attribute)):
            texts.append(str(getattr(node, "id", "") or getattr(node, "arg", "") or getattr(node, "name", "")))
        elif isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
            texts.append(_text(node.value))
        elif isinstance(node, (ast.BinOp, ast.Call, ast.JoinedStr, ast.List, ast.Tuple, ast.Dict)):
            pieces = list(_pieces(node))
            if 1 < len(pieces) <= 200:
                texts += ["".join(pieces), " ".join(pieces)]
    texts += [_unescaped(text) for text in texts if "\\" in text]
    return list(dict.fromkeys([*texts, *(text[::-1] for text in texts if len(text) <= 400)]))


def words(text: str) -> list[str]:
    """Words without case, accents of layout, punctuation."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", ""))


def _unescaped(text: str) -> str:
    """As `json.loads` and its like would read it."""
    return re.sub(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))", lambda m: chr(int(m[1] or m[2], 16)), text)


def _pieces(node: ast.AST) -> Iterator[str]:
    """Constant texts inside an expression, in the order in which they are written."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, (str, bytes)):
            yield _text(child.value)
        else:
            yield from _pieces(child)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


@lru_cache(maxsize=4)
def _own_marks(texts: tuple[str, ...], public: str) -> _Marks:
    """Phrases and marks that belong to a few tasks only."""
    phrases: Counter[tuple[str, ...]] = Counter()
    marks: Counter[str] = Counter()
    for text in texts:
        phrases.update(set(_phrases(words(text))))
        marks.update(set(_marks(text)))
    known_phrases, known_marks = set(_phrases(words(public))), set(_marks(public))
    return (
        frozenset(p for p, n in phrases.items() if n < COMMON and p not in known_phrases),
        frozenset(m for m, n in marks.items() if n < COMMON and m not in known_marks),
    )


def _phrases(text_words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for start in range(len(text_words) - WORDS + 1):
        yield tuple(text_words[start : start + WORDS])


def _marks(text: str) -> Iterator[str]:
    """Words with a digit that are long enough to point at one order, person or line."""
    for mark in _MARK.findall(text.casefold()):
        bare = mark.strip(".+@#-_")
        if len(bare) >= _TOKEN_LENGTH:
            yield bare


def tells(task_id: str) -> bool:
    """Whether an id found inside a text names its task. Short ones, numbers, signs, and one or two words do not:
    they stand in texts that mean something else, and count only where they are a whole literal."""
    parts = words(task_id)
    ordinary = len(parts) <= 2 and all(word.isalpha() for word in parts)
    return len(task_id) >= 4 and not task_id.isdigit() and not ordinary


def _names(texts: Iterable[str], task_id: str) -> bool:
    """Whether the words of an id stand in a row; ids that do not tell are the business of exact search."""
    if not tells(task_id):
        return False
    wanted = words(task_id)
    size = len(wanted)
    for text in texts:
        if wanted[0] not in text.casefold():
            continue
        text_words = words(text)
        if any(text_words[at : at + size] == wanted for at in range(len(text_words) - size + 1)):
            return True
    return False
