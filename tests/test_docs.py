"""Docs that cannot drift: the drawing comes from the code, README commands run."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_drawing_is_the_graph() -> None:
    spec = importlib.util.spec_from_file_location("draw_graph", ROOT / "perf" / "draw_graph.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert module.drawing() in page, "run `make docs`"


def test_the_first_command_stands_near_the_top() -> None:
    lines = README.splitlines()
    assert next(i for i, line in enumerate(lines) if "make demo" in line) < 25
    assert len(lines) < 125


def test_no_page_has_a_gap() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        assert not re.search(r"@@|TODO|TBD|XXX", page.read_text(encoding="utf-8")), page


def commands(marker: str) -> list[str]:
    """Lines of the README's ```sh blocks that follow a `<!-- run: marker -->` comment."""
    blocks = re.findall(rf"<!-- run: {marker} -->\s*```sh\n(.*?)```", README, re.DOTALL)
    assert blocks, f"no README block is marked {marker}"
    return [line.split("#")[0].strip() for block in blocks for line in block.splitlines() if line.split("#")[0].strip()]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_commands_of_the_readme_run_as_written(tmp_path: Path) -> None:
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "NO_COLOR": "1"}
    for line in commands("as-written"):
        done = subprocess.run(line, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, (line, done.stdout[-1_500:], done.stderr[-1_500:])


def test_python_of_the_readme_compiles_and_names_what_exists() -> None:
    import sigmaloop

    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        compile(block, "README.md", "exec")
        for names in re.findall(r"from sigmaloop import (.*)", block):
            assert all(hasattr(sigmaloop, name.strip()) for name in names.split(","))
