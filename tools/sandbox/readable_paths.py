"""Where an agent may look: the folders of the interpreter and of the installed packages, and what is cut out."""

from __future__ import annotations

import importlib.util
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from sigmaloop.tools.sandbox.child.wall.paths import LIBRARIES, SHARED

_CLIENTS = ("openai", "langchain_openai", "langgraph")
_OURSELVES = "sigmaloop"


class ReadablePaths(NamedTuple):
    """Folders and files, all without symbolic links."""

    packages: tuple[str, ...]
    """Where the child finds what the standard library does not have."""
    roots: tuple[str, ...]
    holes: tuple[str, ...]


def readable_paths(hide: Sequence[str] = ()) -> ReadablePaths:
    """`hide`: modules or packages whose code and data no agent may read, such as a benchmark's."""
    packages = _package_folders()
    standard = {os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    roots = [*sorted(standard), *packages, *_libraries(), *SHARED]
    holes = [
        *files_of_modules((_OURSELVES, *hide)),
        *(path for name in (_OURSELVES, *hide) for path in _records(name, packages)),
        *(folder for folder in _other_packages() if os.path.realpath(folder) not in packages),
    ]
    return ReadablePaths(
        tuple(packages),
        tuple(dict.fromkeys(os.path.realpath(path) for path in roots if os.path.exists(path))),
        tuple(dict.fromkeys(os.path.realpath(path) for path in holes)),
    )


def _package_folders() -> list[str]:
    """The folders that hold the client libraries which an agent may ask for."""
    folders: dict[str, None] = {}
    for name in _CLIENTS:
        spec = importlib.util.find_spec(name)
        for path in (spec.submodule_search_locations or []) if spec else []:
            folders[os.path.realpath(Path(path).parent)] = None
    return list(folders)


def files_of_modules(names: Iterable[str]) -> Iterable[str]:
    """Files and folders of modules, wherever they were loaded from."""
    for name in names:
        top = name.partition(".")[0]
        module = sys.modules.get(top)
        file = getattr(module, "__file__", None)
        yield from getattr(module, "__path__", [])
        if file and not hasattr(module, "__path__"):
            yield file
        elif module is None and (spec := importlib.util.find_spec(top)) is not None:
            yield from spec.submodule_search_locations or ([spec.origin] if spec.origin else [])


def _records(name: str, packages: Sequence[str]) -> Iterable[str]:
    """Metadata and helper files that an installation leaves beside a package."""
    for folder in packages:
        for pattern in (f"{name}-*", f"__editable__*{name}*", f"{name}.*"):
            yield from (str(path) for path in Path(folder).glob(pattern))


def _other_packages() -> Iterable[str]:
    """Packages of the interpreter itself when it runs in an environment, and of the user."""
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    for name in ("purelib", "platlib"):
        yield sysconfig.get_path(name, vars=base)
        yield sysconfig.get_path(name)
    yield site.getusersitepackages()
    yield from ("/usr/lib/python3/dist-packages", "/usr/local/lib/python3/dist-packages")


def _libraries() -> Iterable[str]:
    """Shared libraries of the system, and those beside the interpreter."""
    multiarch = sysconfig.get_config_var("MULTIARCH")
    yield from (f"{folder}/{multiarch}" for folder in LIBRARIES if multiarch)
    if not multiarch or not os.path.isdir(f"/usr/lib/{multiarch}"):
        yield from ("/lib64", "/usr/lib64")
    beside = Path(sys.base_prefix) / "lib"
    yield from (str(path) for path in sorted(beside.glob("lib*.so*")))
