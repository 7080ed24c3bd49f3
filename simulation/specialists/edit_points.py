"""Where in an agent file a change can go: exact replacements for whatever the file looks like now.

Each function reads the source as it stands and returns the pair (old, new) for an exact text replacement, or None
when the file has no such place. `old` occurs exactly once.
"""

from __future__ import annotations

import ast
import json
from typing import NamedTuple


class Edit(NamedTuple):
    old: str
    new: str

    def apply(self, source: str) -> str:
        return source.replace(self.old, self.new, 1)


def literal(text: str) -> str:
    """A Python string literal of one line."""
    return json.dumps(text, ensure_ascii=False)


def add_to_list(source: str, name: str, text: str) -> Edit | None:
    """Append a text to the module-level list `name`."""
    node = _assigned(source, name)
    if not isinstance(node, ast.List):
        return None
    inside = _inside(source, node, node.elts[-1] if node.elts else None)
    return _swap_assignment(source, name, node, f"[{inside}\n    {literal(text)},\n]")


def add_to_dict(source: str, name: str, key: str, text: str) -> Edit | None:
    """Set `name[key]` to a text, or add the text to what stands there already."""
    node = _assigned(source, name)
    if not isinstance(node, ast.Dict):
        return None
    for known, value in zip(node.keys, node.values, strict=True):
        if isinstance(known, ast.Constant) and known.value == key:
            if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
                return None
            start, end = _span(source, node)
            left, right = _span(source, value)
            longer = literal(f"{value.value} {text}")
            changed = source[start:left] + longer + source[right:end]
            return _swap_assignment(source, name, node, changed)
    inside = _inside(source, node, node.values[-1] if node.values else None)
    return _swap_assignment(source, name, node, "{" + f"{inside}\n    {literal(key)}: {literal(text)},\n" + "}")


def add_check(source: str, lines: list[str]) -> Edit | None:
    """Put code before the last `return` of `check_call`; `lines` are indented by four already."""
    function = _function(source, "check_call")
    if function is None or not isinstance(function.body[-1], ast.Return):
        return None
    last = function.body[-1]
    rows = source.splitlines(keepends=True)
    at = sum(map(len, rows[: last.lineno - 1]))
    return _insert(source, at, "".join(f"{line}\n" for line in lines))


def remind_after_policy(source: str, text: str) -> Edit | None:
    """In `build_context`, show a reminder after the policy."""
    function = _function(source, "build_context")
    marker = "parts.append(session.instructions)\n"
    if function is None or source.count(marker) != 1:
        return None
    return Edit(marker, f"{marker}    parts.append({literal(text)})\n")


def add_to_prompt(source: str, text: str) -> Edit | None:
    """Add a sentence to the first long text that a module-level name with PROMPT in it holds."""
    for node in _tree(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = node.value
            if "PROMPT" in node.targets[0].id and isinstance(value, ast.Constant):
                start, end = _span(source, value)
                held = source[start:end]
                if held.endswith('"""') and source.count(held) == 1:
                    return Edit(held, held[:-3] + f"\n{text.replace(chr(92), '')}" + '"""')
    return None


def add_comment(source: str) -> Edit | None:
    """A change that changes nothing: a blank line before `run`."""
    function = _function(source, "run")
    if function is None:
        return None
    rows = source.splitlines(keepends=True)
    return _insert(source, sum(map(len, rows[: function.lineno - 1])), "\n")


def _insert(source: str, at: int, text: str) -> Edit:
    """An insertion at an offset, with enough whole lines around it to be unique."""
    left, right = at, source.find("\n", at) + 1 or len(source)
    while source.count(source[left:right]) != 1:
        grown = source.rfind("\n", 0, max(0, left - 1)) + 1
        if grown == left:
            right = source.find("\n", right) + 1 or len(source)
        left = grown
    return Edit(source[left:right], source[left:at] + text + source[at:right])


def _swap_assignment(source: str, name: str, node: ast.expr, value: str) -> Edit | None:
    start, end = _span(source, node)
    start = source.rfind("\n", 0, start) + 1
    old = source[start:end]
    return Edit(old, f"{name} = {value}") if source.count(old) == 1 else None


def _inside(source: str, node: ast.expr, last: ast.expr | None) -> str:
    """What a list or dict holds already, up to and with its last comma."""
    if last is None:
        return ""
    start, end = _span(source, node)
    held = source[start + 1 : end - 1].rstrip()
    stop = _span(source, last)[1] - start - 1
    rest = held[stop:].lstrip()
    rest = rest[1:].strip() if rest.startswith(",") else rest
    comment = f"  {rest}" if rest.startswith("#") else ""
    return f"{held[:stop]},{comment}"


def _tree(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])


def _assigned(source: str, name: str) -> ast.expr | None:
    for node in _tree(source).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            return node.value
    return None


def _function(source: str, name: str) -> ast.FunctionDef | None:
    for node in _tree(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
    return None


def _span(source: str, node: ast.expr) -> tuple[int, int]:
    """Character offsets of a node (columns of ast count bytes)."""
    rows = source.splitlines(keepends=True)

    def offset(line: int, column: int) -> int:
        return sum(map(len, rows[: line - 1])) + len(rows[line - 1].encode()[:column].decode())

    return offset(node.lineno, node.col_offset), offset(node.end_lineno or 1, node.end_col_offset or 0)
