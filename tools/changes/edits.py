"""What a change may touch: one file, within bounds, readable, naming no task; a program has a `run(session)`.

Everything here reads the source as text and syntax; nothing is ever executed. A refused change costs no
rollout.
"""

from __future__ import annotations

import ast
import difflib
import re
import types
import warnings
from collections.abc import Collection, Iterator, Sequence

from sigmaloop.errors import BadInput, InadmissibleChange
from sigmaloop.tools.changes.file_kinds import Kind, UnparsableError
from sigmaloop.tools.changes.leak_scan import leaks, tells
from sigmaloop.tools.changes.package_modules import PackageModules
from sigmaloop.tools.changes.static_checks import new_violations
from sigmaloop.tools.changes.text_checks import new_text_violations, same_text, values

MAX_BYTES = 256_000
"""Largest agent file."""
GROWTH_BYTES = 8_000
"""A change may always add this much; beyond it, at most double the parent."""
NESTING = 150
"""Levels of a syntax tree that everything here can walk, however deep its caller stands."""
DIFF_CHARACTERS = 64_000
"""Longest change: the judge and people read it whole or not at all."""


class _UnfitError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check_agent(source: str, filename: str = "agent.py", *, kind: Kind = "python", main: bool = True) -> None:
    """Raise BadInput unless the text is a file of its kind; a Python file has a top-level `run(session)` if `main`."""
    try:
        if kind == "python":
            _check_source(source, main=main)
        else:
            _check_text(source, kind)
    except _UnfitError as unfit:
        raise BadInput(f"agent file {filename}: {unfit}") from None


def check_change(
    parent_source: str,
    source: str,
    *,
    task_ids: Collection[str],
    texts: Sequence[str] = (),
    public: str = "",
    file: str = "agent.py",
    kind: Kind = "python",
    main: bool = True,
    package: PackageModules | None = None,
) -> None:
    """Raise InadmissibleChange when a proposed agent may not be tried.

    `texts`: what the tasks say, of which a change may quote nothing but what `public` says as well. Codes:
    `syntax`, `no_run`, `unchanged` (the same program, comments and layout aside), `too_large`, `forbidden`
    (imports, calls or data that nobody can read), `names_task` (a literal, comment or name holds a task id, or
    quotes a task, that the parent does not). `file`: its name; `main`: whether it must have a `run(session)`;
    `package`: the modules beside it that it may import.
    """
    try:
        same = _same(parent_source, source, kind, main=main)
    except _UnfitError as unfit:
        raise InadmissibleChange(unfit.code, f"the changed {file}: {unfit}") from None
    if same:
        raise InadmissibleChange("unchanged", "the change leaves the program as it was; make one that matters")
    size, before = len(source.encode("utf-8", "replace")), len(parent_source.encode("utf-8", "replace"))
    allowed = max(before + GROWTH_BYTES, 2 * before)
    if size > allowed:
        raise InadmissibleChange(
            "too_large",
            f"{file} grew from {before} to {size} bytes; at most {allowed} here: make a smaller change",
        )
    shown = len(unified_diff(parent_source, source))
    if shown > DIFF_CHARACTERS:
        raise InadmissibleChange(
            "too_large",
            f"the change is {shown} characters as a diff; at most {DIFF_CHARACTERS} are read as a whole: "
            "make a smaller change",
        )
    if kind == "python":
        own = package or PackageModules()
        wrong = new_violations(parent_source, source, modules=own.modules, insides=own.insides)
    else:
        wrong = new_text_violations(parent_source, source)
    if wrong:
        raise InadmissibleChange(
            "forbidden",
            f"the changed {file}, line {wrong[0].line}: {wrong[0].what}; a change says in plain code and words "
            "what it does",
        )
    named = sorted(_named_tasks(source, task_ids, kind) - _named_tasks(parent_source, task_ids, kind))
    if named:
        raise InadmissibleChange(
            "names_task",
            f"the change names a task ({named[0]}); rules must hold for tasks that nobody has seen",
        )
    quoted = leaks(parent_source, source, task_ids=task_ids, texts=texts, public=public, kind=kind)
    if quoted:
        raise InadmissibleChange(
            "names_task",
            f"the change holds {quoted[0]}; rules must hold for tasks that nobody has seen",
        )


def replace_text(source: str, old: str, new: str) -> str:
    """The source with its only occurrence of `old` replaced. Raises BadInput for none or several."""
    if not old:
        raise BadInput("the text to replace is empty; quote the lines that are to change")
    count = source.count(old)
    if count != 1:
        hint = "copy it exactly, with its indentation" if count == 0 else "quote more lines around it"
        raise BadInput(f"the text to replace occurs {count} times, it must occur once; {hint}")
    return source.replace(old, new)


def unified_diff(a: str, b: str, path: str = "agent.py") -> str:
    """The change from `a` to `b` as `git apply` and `patch -p1` read it; empty when they are equal."""
    lines: list[str] = []
    for line in difflib.unified_diff(_lines(a), _lines(b), f"a/{path}", f"b/{path}"):
        lines.append(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n")
    return "".join(lines)


def _same(parent: str, source: str, kind: Kind, *, main: bool) -> bool:
    """Whether the change leaves all as it was. Raises _UnfitError for a file that is none of its kind."""
    if kind == "python":
        return ast.dump(_check_source(source, main=main)) == _dump(parent) or source == parent
    _check_text(source, kind)
    return same_text(parent, source, kind)


def _check_text(source: str, kind: Kind) -> None:
    if not source.strip():
        raise _UnfitError("syntax", "it is empty; write into it what the agent is to read")
    if len(source.encode("utf-8", "replace")) > MAX_BYTES:
        raise _UnfitError("too_large", f"it is larger than {MAX_BYTES} bytes")
    if "\0" in source:
        raise _UnfitError("syntax", "it contains NUL bytes; it must be text")
    try:
        values(source, kind)
    except UnparsableError as error:
        raise _UnfitError("syntax", str(error)) from None


def _check_source(source: str, *, main: bool = True) -> ast.Module:
    if main and not source.strip():
        raise _UnfitError("no_run", "it is empty; it must define `def run(session)`")
    if len(source.encode("utf-8", "replace")) > MAX_BYTES:
        raise _UnfitError("too_large", f"it is larger than {MAX_BYTES} bytes")
    if "\0" in source:
        raise _UnfitError("syntax", "it contains NUL bytes; it must be Python text")
    tree = _parse(source)
    if main:
        _check_run(tree)
    return tree


def _parse(source: str) -> ast.Module:
    """Parse and compile (`return` outside a function passes the parser); the code object is thrown away."""
    try:
        tree, _ = _compiled(source)
    except SyntaxError as error:
        raise _UnfitError("syntax", f"line {error.lineno}: not valid Python: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise _UnfitError("syntax", f"not valid Python: {type(error).__name__}: {error}") from None
    if _nesting(tree) > NESTING:
        raise _UnfitError("syntax", f"it is nested more than {NESTING} levels deep; split the longest expression")
    return tree


def _compiled(source: str) -> tuple[ast.Module, types.CodeType]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in a candidate is not our warning
        tree = ast.parse(source, "agent.py")
        return tree, compile(source, "agent.py", "exec", dont_inherit=True)


def _dump(source: str) -> str | None:
    """The program without comments and layout; None when the source is none."""
    try:
        return ast.dump(_parse(source))
    except _UnfitError:
        return None


def _nesting(tree: ast.AST) -> int:
    """Levels of the syntax tree; looked at without recursion, so that it ends for every tree."""
    depth, level = 0, [tree]
    while level:
        depth += 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return depth


def _check_run(tree: ast.Module) -> None:
    definitions = [
        node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == "run"
    ]
    if not definitions:
        raise _UnfitError("no_run", "it has no top-level `def run(session)`; that is where an agent starts")
    run = definitions[-1]
    parameters = run.args
    positional = [*parameters.posonlyargs, *parameters.args]
    required = len(positional) - len(parameters.defaults)
    takes_one = required <= 1 and (positional or parameters.vararg)
    if not takes_one or None in parameters.kw_defaults:
        raise _UnfitError("no_run", f"line {run.lineno}: run must take one argument, the session: `def run(session)`")


def _named_tasks(source: str, task_ids: Collection[str], kind: Kind) -> set[str]:
    """Task ids that the source names: in its text, or in constants that the compiler joins ("a" + "b")."""
    try:
        constants = list(_constants(_compiled(source)[1])) if kind == "python" else values(source, kind)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        constants = []
    # Ids such as "7" or "refund" stand in every program; those count only where they are a whole literal.
    plain = {task_id for task_id in task_ids if not tells(task_id)}
    telling = {task_id.lower(): task_id for task_id in task_ids if task_id not in plain}
    named = plain & set(constants)
    if telling:
        longest_first = sorted(telling, key=lambda task_id: (-len(task_id), task_id))
        pattern = re.compile(r"(?<![a-z0-9])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![a-z0-9])")
        text = "\n".join([source, *constants]).lower()
        named |= {telling[match] for match in pattern.findall(text)}
    return named


def _constants(value: object) -> Iterator[str]:
    """Every text inside a code object; bytes as text."""
    if isinstance(value, types.CodeType):
        value = value.co_consts
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, (tuple, frozenset)):
        for item in value:
            yield from _constants(item)


def _lines(text: str) -> list[str]:
    """Lines with their ends; only \\n ends a line, as for git."""
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
