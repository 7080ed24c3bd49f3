"""Runs a repository's tests, or single checks, inside the sandbox. Sent there as text; never imported here.

Standard library only. It sees no expected results of the hidden checks: it hands back what each gave.
"""

import ast
import importlib.abc
import importlib.util
import json
import linecache
import sys
import traceback

SHOWN = 400


def run(session):
    order = json.loads(session.opening)
    files = Files(order["files"])
    sys.meta_path.insert(0, files)
    if order["cases"] is None:
        session.submit(list(tests(files)))
    else:
        session.submit([check(files, order["setup"], case) for case in order["cases"]])


class Files(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the modules of a repository from texts, anew for every test."""

    def __init__(self, texts):
        self.texts = texts
        self.compiled = {}
        self.loaded = set()
        for name, text in texts.items():
            linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)

    def find_spec(self, name, path=None, target=None):
        file = f"{name}.py"
        return importlib.util.spec_from_loader(name, self, origin=file) if file in self.texts else None

    def exec_module(self, module):
        name = f"{module.__name__}.py"
        self.loaded.add(module.__name__)
        if name not in self.compiled:
            self.compiled[name] = compile(self.texts[name], name, "exec", dont_inherit=True)
        exec(self.compiled[name], module.__dict__)

    def forget(self):
        for name in self.loaded:
            sys.modules.pop(name, None)
        self.loaded.clear()


def tests(files):
    """(file, test, problem) of every test; an empty problem: it passed."""
    for file in sorted(name for name in files.texts if name.startswith("test_") and name.endswith(".py")):
        try:
            tree = ast.parse(files.texts[file], file)
        except SyntaxError as error:
            yield file, "", told(error, files)
            continue
        names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
        for name in names:
            files.forget()
            try:
                getattr(importlib.import_module(file[:-3]), name)()
            except BaseException as error:
                yield file, name, told(error, files)
            else:
                yield file, name, ""


def check(files, setup, code):
    """What the last line gives, as text."""
    files.forget()
    *before, last = code.splitlines()
    space = {}
    try:
        exec(setup, space)
        exec("\n".join(before), space)
        return repr(eval(last, space))[:4000]
    except BaseException as error:
        return f"raises {type(error).__name__}"


def told(error, files):
    """Where in the repository, and what; for a bare assert what was compared."""
    where = []
    deepest = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        name = frame.f_code.co_filename
        if name in files.texts:
            deepest = frame
            where.append(f"{name} line {number}, in {frame.f_code.co_name}: {linecache.getline(name, number).strip()}")
    what = "".join(traceback.format_exception_only(error)).strip()[-SHOWN:]
    if isinstance(error, AssertionError) and not error.args and where:
        what += compared(where[-1].split(": ", 1)[1], deepest)
    return "\n".join([*where[-3:], what])


def compared(line, frame):
    """Both sides of `assert a == b`, as far as they can be had again."""
    try:
        found = ast.parse(line).body[0].test
        if not isinstance(found, ast.Compare) or len(found.ops) != 1:
            return ""
        given, wanted = (
            eval(ast.unparse(side), frame.f_globals, frame.f_locals) for side in (found.left, *found.comparators)
        )
        return f": {given!r:.{SHOWN}} is not as wanted: {wanted!r:.{SHOWN}}"
    except Exception:
        return ""
