"""What kind of file an agent is: decides how it is read, checked and compared."""

from __future__ import annotations

import json
import tomllib
from pathlib import PurePath
from typing import Literal

import yaml  # type: ignore[import-untyped]

from sigmaloop.errors import BadInput

Kind = Literal["python", "text", "yaml", "json", "toml", "foreign"]
"""`text` has no grammar; `foreign` is a program in another language."""
_BY_SUFFIX: dict[str, Kind] = {
    ".py": "python",
    ".md": "text",
    ".txt": "text",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".toml": "toml",
}
_FOREIGN = {
    ".ts": "TypeScript", ".tsx": "TypeScript", ".mts": "TypeScript", ".js": "JavaScript", ".jsx": "JavaScript",
    ".mjs": "JavaScript", ".cjs": "JavaScript", ".go": "Go", ".rs": "Rust", ".java": "Java", ".kt": "Kotlin",
    ".cs": "C#", ".rb": "Ruby", ".php": "PHP", ".swift": "Swift", ".sh": "shell",
}  # fmt: skip
_DEPTH = 60
MOST_VALUES = 100_000


_BLANK: dict[Kind, str] = {
    "python": 'raise RuntimeError("this file was emptied")\n',
    "yaml": "{}\n",
    "json": "{}\n",
    "toml": "# nothing\n",
}


class UnparsableError(ValueError):
    """A file that does not keep to its grammar; the message says where."""


def kind_of(name: str, *, hosted: bool = False) -> Kind:
    """The kind of a file by its suffix; one without a suffix is Python.

    `hosted`: whether the benchmark runs the agent itself. Raises BadInput for another language that nobody hosts, and
    for a suffix that has no rules.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix in _BY_SUFFIX or not suffix:
        return _BY_SUFFIX.get(suffix, "python")
    if hosted:
        return "foreign"
    if suffix in _FOREIGN:
        raise BadInput(
            f"{name} is {_FOREIGN[suffix]}, and the sandbox runs Python: a program in another language works only "
            "with a benchmark that runs the agent itself (hosts_agent = True), behind the wall of its own runner"
        )
    raise BadInput(f"{name}: a file that changes is one of {', '.join(_BY_SUFFIX)}; put its text into one of these")


def blank_of(kind: Kind) -> str:
    """A file of this kind from which nobody learns anything."""
    return _BLANK.get(kind, "Nothing.\n")


def parsed(text: str, kind: Kind) -> object:
    """The value that a file holds; for a text without grammar the text. Raises UnparsableError with the line."""
    try:
        if kind == "json":
            return json.loads(text)
        if kind == "toml":
            return tomllib.loads(text)
        if kind == "yaml":
            return yaml.safe_load(text)
    except json.JSONDecodeError as error:
        raise UnparsableError(f"line {error.lineno}: not valid JSON: {error.msg}") from None
    except tomllib.TOMLDecodeError as error:
        raise UnparsableError(f"not valid TOML: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise UnparsableError(f"{where}not valid YAML: {getattr(error, 'problem', None) or error}") from None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError) as error:
        raise UnparsableError(f"not valid {kind.upper()}: {error}") from None
    return text


def scalars(value: object) -> list[str]:
    """Every key and every single value inside, as text, in their order.

    Raises UnparsableError when it is nested too deep, or unfolds into too much: YAML can name one value many times.
    """
    found: list[str] = []
    left = MOST_VALUES
    waiting: list[tuple[object, int]] = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        left -= 1
        if left < 0:
            raise UnparsableError(f"it holds more than {MOST_VALUES} values; write it shorter")
        if depth > _DEPTH:
            raise UnparsableError(f"it is nested more than {_DEPTH} levels deep; make it flatter")
        inner = [part for pair in item.items() for part in pair] if isinstance(item, dict) else item
        if isinstance(inner, (list, tuple, set)):
            waiting += [(part, depth + 1) for part in reversed(list(inner))]
        elif item is not None:
            found.append(str(item))
    return found
