"""Modules of a user's, written into a folder of the test's own and importable from there."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Module = Callable[..., Any]
NUMBERS = itertools.count()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    """`(text, **files)`: a module of that text beside these files; the loaded module."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(text: str, **files: str) -> Any:
        name = f"made_benchmark_{next(NUMBERS)}"
        for stem, content in files.items():
            (tmp_path / stem.replace("_", ".")).write_text(content, encoding="utf-8")
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(name)

    return make
