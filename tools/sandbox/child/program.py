"""The agent's files as one rollout sees them: the one that changes, and those of its package.

The text that changes comes with every rollout; the others lie in a read-only copy. Standard library only.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import linecache
import os
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sigmaloop.tools.sandbox.child.orders import AgentFiles

AGENT = "agent.py"
"""What the file is called when the agent is that one file."""


class Files(Mapping[str, str]):
    """Texts of the package by path: the one that changes as it is now, the others as they are on disk."""

    def __init__(self, folders: Sequence[str] = (), changing: Mapping[str, str] | None = None) -> None:
        """`changing`: what is not read from disk, by path."""
        self._folders = folders
        self._changing = dict(changing or {})

    def __getitem__(self, name: str) -> str:
        if name in self._changing:
            return self._changing[name]
        for folder in self._folders:
            path = os.path.normpath(os.path.join(folder, name))
            if path.startswith(folder + os.sep) and os.path.isfile(path):
                with open(path, encoding="utf-8-sig") as file:
                    return file.read()
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._changing, *self._names()]))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _names(self) -> Iterator[str]:
        for folder in self._folders:
            for path, _, names in sorted(os.walk(folder)):
                yield from (os.path.relpath(os.path.join(path, name), folder) for name in sorted(names))


class _Module(NamedTuple):
    """A module whose text does not come from the path finder."""

    text: str
    label: str
    """Its name in messages."""
    path: str


class Program:
    """One agent, loaded once."""

    def __init__(self, agent: AgentFiles, source: str) -> None:
        """`source`: the text of the file that changes."""
        self._agent = agent
        self._source = source
        edited = agent["edited"]
        name = edited["name"] if edited else AGENT
        self.files = Files(agent["folders"], {name: source, os.path.basename(name): source})

    def load(self, packages: Sequence[str]) -> types.ModuleType:
        """Run the module that holds `run`. `packages`: folders of installed packages, which come after the agent's."""
        edited, driver, folders = self._agent["edited"], self._agent["driver"], self._agent["folders"]
        at = next((number for number, path in enumerate(sys.path) if path in packages), len(sys.path))
        sys.path[at:at] = folders
        modules: dict[str, _Module] = {}
        main = "agent"
        if edited is None:
            if driver is None:
                modules[main] = _Module(self._source, AGENT, AGENT)
        elif edited["name"].endswith(".py"):
            main = _dotted(edited["name"])
            modules[main] = _Module(self._source, edited["name"], os.path.join(edited["folder"], edited["name"]))
        else:
            with open(os.path.basename(edited["name"]), "w", encoding="utf-8", newline="") as file:
                file.write(self._source)  # the package's own entry of this name is a link to here
        if driver is not None:
            main = _dotted(driver["name"])
            path = os.path.join(driver["folder"], driver["name"])
            with open(path, encoding="utf-8-sig") as file:
                modules[main] = _Module(file.read(), driver["name"], path)
        for module in modules.values():
            lines = module.text.splitlines(keepends=True)
            linecache.cache[module.label] = (len(module.text), None, lines, module.label)
        sys.meta_path.insert(0, _Given(modules))  # type: ignore[arg-type]
        return importlib.import_module(main)

    def label(self, filename: str) -> str:
        """How a file of the agent is called in messages; empty for every other file."""
        for place in (self._agent["edited"], self._agent["driver"]):
            if place is not None and filename == place["name"]:
                return filename
        if filename == AGENT and self._agent["edited"] is None:
            return AGENT
        for folder in self._agent["folders"]:
            if filename.startswith(folder + os.sep):
                return os.path.relpath(filename, folder)
        return ""


def _dotted(name: str) -> str:
    """The module's name: by its path where that can be imported, else `agent`."""
    parts = name.removesuffix(".py").split("/")
    if len(parts) > 1 and parts[-1] == "__init__":
        parts.pop()
    fine = all(part.isidentifier() for part in parts) and parts[0] not in sys.stdlib_module_names
    return ".".join(parts) if fine else "agent"


class _Given:
    """Finds the modules whose text we hold, before anybody looks on disk."""

    def __init__(self, modules: Mapping[str, _Module]) -> None:
        self._modules = modules

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        module = self._modules.get(name)
        if module is None:
            return None
        whole = os.path.basename(module.path) == "__init__.py"
        spec = importlib.machinery.ModuleSpec(name, _Loader(module), origin=module.path, is_package=whole)  # type: ignore[arg-type]
        spec.has_location = True
        if whole:
            spec.submodule_search_locations = [os.path.dirname(module.path)]
        return spec


class _Loader:
    def __init__(self, module: _Module) -> None:
        self._module = module

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """The default one."""

    def exec_module(self, module: types.ModuleType) -> None:
        exec(compile(self._module.text, self._module.label, "exec", dont_inherit=True), module.__dict__)
