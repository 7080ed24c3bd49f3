"""What a candidate may not contain, read from its syntax tree before anything of it runs.

Not the sandbox: that holds whatever an agent does. These rules keep a change readable, so that the leak scan and the
judge see what it says: nothing decoded, decrypted, hashed or fetched from the interpreter's insides. Only what a
change adds counts; the user's own agent may be written as its author likes.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import NamedTuple

LONGEST_WORD = 80
"""Characters without a space that a text may have: beyond, it is data, not language."""
LARGEST_NUMBER = 2**53
MOST_NUMBERS = 12
"""Numbers in a row that a list may have."""

_MODULES = """
    __future__ abc asyncio bisect calendar collections concurrent contextlib copy dataclasses datetime decimal difflib
    enum fractions functools heapq itertools json logging math numbers operator pprint queue re statistics
    string textwrap threading time traceback types typing typing_extensions unicodedata warnings zoneinfo
    dateutil langchain langchain_core langchain_openai langgraph openai pydantic tenacity yaml
"""
_CALLS = """
    __build_class__ __builtins__ __import__ __loader__ __spec__ breakpoint bytearray bytes chr compile delattr eval exec
    exit globals hash help input locals memoryview open ord quit setattr vars
"""
_INSIDES = "builtins codecs inspect linecache os subprocess sys attrgetter methodcaller"
_ATTRIBUTES = """
    attrgetter cr_frame decode encode f_back f_builtins f_globals f_locals from_bytes fromhex gi_frame maketrans
    methodcaller modules system tb_frame to_bytes translate
"""
_SPECIALS = "__init__ __name__ __doc__ __class__ __call__ __enter__ __exit__ __post_init__ __str__"

MODULES = frozenset(_MODULES.split())
"""What a change may import that its parent does not. Not random: seeded with a text, it is a hash of it."""
CALLS = frozenset(_CALLS.split())
"""Built-in names that run text, reach the interpreter or turn numbers into text and back."""
ATTRIBUTES = frozenset(_ATTRIBUTES.split())
INSIDES = frozenset(_INSIDES.split())
"""What an admitted module brings along and no change may take out of it: other modules, calls by made-up names."""
PLAIN_SPECIALS = frozenset(_SPECIALS.split())


class Violation(NamedTuple):
    """One thing that may not be added; equal things of the parent are forgiven."""

    what: str
    line: int


def new_violations(
    parent_source: str, source: str, *, modules: Set[str] = frozenset(), insides: Set[str] = frozenset()
) -> list[Violation]:
    """What the change adds against the rules, in the order of lines. Both sources must parse, or count as empty.

    `modules`: of the agent's own package, which it may import. `insides`: what it may not take out of them.
    """
    had = Counter(violation.what for violation in violations(parent_source, modules=modules, insides=insides))
    new = []
    for violation in violations(source, modules=modules, insides=insides):
        if had[violation.what] > 0:
            had[violation.what] -= 1
        else:
            new.append(violation)
    return new


def violations(source: str, *, modules: Set[str] = frozenset(), insides: Set[str] = frozenset()) -> list[Violation]:
    """Everything in a source that is against the rules."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    nodes = list(ast.walk(tree))
    broken = [Violation(what, getattr(node, "lineno", 0)) for node in nodes for what in _wrong(node, modules)]
    broken += [Violation(what, getattr(node, "lineno", 0)) for node, what in _roundabout(nodes, INSIDES | insides)]
    broken += [Violation(what, line) for line, text in comments(source) for what in _too_dense(text)]
    return sorted(broken, key=lambda violation: (violation.line, violation.what))


def comments(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of every comment."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    except (tokenize.TokenError, SyntaxError):
        return


def _wrong(node: ast.AST, modules: Set[str]) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from _imported((alias.name for alias in names), modules)
        case ast.ImportFrom(level=level) if level and modules:
            pass  # leads nowhere but into the package
        case ast.ImportFrom(module=module):
            yield from _imported([module or "."], modules)
        case ast.Name(id=name) if name in CALLS or (_special(name) and name not in PLAIN_SPECIALS):
            yield f"it uses {name}"
        case ast.Attribute(value=value, attr=name):
            inside = _hidden(name) and not (_own(value) or name in PLAIN_SPECIALS)
            if name in ATTRIBUTES or inside or (_special(name) and name not in PLAIN_SPECIALS):
                yield f"it uses .{name}"
        case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]) if not _hidden(name):
            pass
        case ast.Call(func=ast.Name(id="getattr")):
            yield "it calls getattr with a name that is not written out"
        case ast.Constant(value=str(text)):
            yield from _too_dense(text)
            if re.search(r"%[-+0-9.]*c|:[^{}]{0,8}c\}", text):
                yield "it formats numbers as characters"
        case ast.Constant(value=bytes(data)):
            yield from _too_dense(data.decode("latin-1"))
        case ast.Constant(value=int(number)) if abs(number) > LARGEST_NUMBER:
            yield f"it holds a number of {len(str(number)) if abs(number) < 10**4000 else 'thousands of'} digits"
        case ast.FormattedValue(format_spec=ast.JoinedStr(values=[ast.Constant(value=str(spec))])) if spec.endswith(
            "c"
        ):
            yield "it formats numbers as characters"
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            numbers = [i for i in items if isinstance(i, ast.Constant) and type(i.value) in (int, float)]
            if len(numbers) > MOST_NUMBERS:
                yield f"it holds a list of {len(numbers)} numbers"


def _roundabout(nodes: Sequence[ast.AST], insides: Set[str]) -> Iterator[tuple[ast.AST, str]]:
    """What only the whole file shows: modules taken out of modules, getattr under another name."""
    imports = [alias for n in nodes if isinstance(n, (ast.Import, ast.ImportFrom)) for alias in n.names]
    modules = {alias.asname or alias.name.partition(".")[0] for alias in imports}
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    for node in nodes:
        match node:
            case ast.Attribute(attr=name) if name in insides - ATTRIBUTES and _root(node) in modules:
                yield node, f"it takes {name} out of another module"
            case ast.ImportFrom(names=names):
                yield from ((node, f"it takes {a.name} out of another module") for a in names if a.name in insides)
            case ast.Name(id="getattr") if id(node) not in called:
                yield node, "it hands getattr on instead of calling it"
            case ast.Compare(left=left, ops=ops, comparators=others):
                sizes = [side for side in (left, *others) if _is_length_of_opening(side)]
                exact = any(isinstance(op, (ast.Eq, ast.NotEq, ast.In, ast.NotIn)) for op in ops)
                if sizes and exact and any(_holds_a_number(side) for side in (left, *others)):
                    yield node, "it compares the length of the opening with a number"


def _root(node: ast.expr) -> str:
    """The name that a chain of attributes begins with."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_length_of_opening(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="len"), args=[ast.Attribute(attr="opening")]):
            return True
    return False


def _holds_a_number(node: ast.expr) -> bool:
    """A number above 1: whether there is an opening at all may be asked."""
    return any(isinstance(n, ast.Constant) and isinstance(n.value, int) and n.value > 1 for n in ast.walk(node))


def _imported(names: Iterable[str], modules: Set[str]) -> Iterator[str]:
    for name in names:
        if name.partition(".")[0] not in MODULES | modules:
            yield f"it imports {name}"


def _too_dense(text: str) -> Iterator[str]:
    longest = max(map(len, text.split()), default=0)
    if longest > LONGEST_WORD:
        yield f"it holds a text with {longest} characters and no space, which is data that nobody can read"


def _hidden(name: str) -> bool:
    return name.startswith("_")


def _special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _own(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id in ("self", "cls")
