"""Docs that cannot drift: pages come from the code, name what exists, and run as written."""

from __future__ import annotations

import ast
import importlib.util
import logging
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from processes import environment

import sigmaloop
from sigmaloop.endpoints import FIELDS
from sigmaloop.settings import Settings, flag_of, place_of

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").glob("*.md"),
        *(ROOT / "target_agent").glob("*.md"),
    ]
)
FILE = re.compile(r"(?<![\w./$*<{-])(?:\.{1,2}/)?[\w.-]+(?:/[\w.-]+)+\.(?:py|md|toml|json|yml|yaml|ipynb)\b")
LINK = re.compile(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)")
DOTTED = re.compile(r"(?<![\w./-])sigmaloop(?:\.[A-Za-z_]\w*)+")
BLOCK = re.compile(
    r"^(?P<mark><!-- not run: (?P<why>.*?) -->\n+)?```python\n(?P<code>.*?)^```", re.DOTALL | re.MULTILINE
)
PLACEHOLDERS = {"tests/x.py"}
"""Paths that stand for any file."""
NOT_RUN = 0
"""Python blocks that are marked as not run, over all pages."""


def by_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def command_of(name: str) -> ModuleType:
    """A file of perf/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "perf" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Pages that are made from the code


def test_the_drawing_is_the_graph() -> None:
    assert command_of("draw_graph").drawing() in text_of(ROOT / "docs" / "architecture.md"), "run `make docs`"


def test_the_settings_page_is_the_settings_model() -> None:
    assert text_of(ROOT / "docs" / "settings.md") == command_of("settings_page").page(), "run `make docs`"


def test_every_setting_stands_on_its_page_once_with_all_its_spellings() -> None:
    page = command_of("settings_page").page()
    for name in (name for name in Settings.model_fields if place_of(name).group != "models"):
        spellings = f"`{flag_of(name)}`<br>`SIGMALOOP_{name.upper()}`<br>`{name}`"
        assert page.count(f"| {spellings} |") == 1, name
    for key in FIELDS:
        spellings = f"`--ROLE-{key.replace('_', '-')}`<br>`SIGMALOOP_ROLE_{key.upper()}`<br>`{key}`"
        assert page.count(f"| {spellings} |") == 1, key


# The site


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_asks_no_other_host_for_anything(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > 10
    loaded = re.compile(r"<(?:script|img|iframe)[^>]+src=\"?(?:https?:)?//|<link[^>]+href=\"?(?:https?:)?//")
    assert [page for page in pages if loaded.search(text_of(page))] == []
    api = text_of(tmp_path / "api" / "index.html")
    assert [path for path in documented() if f'id="{path}"' not in api] == []


def test_a_link_out_of_the_docs_becomes_text_or_leads_to_the_repository(caplog: pytest.LogCaptureFixture) -> None:
    links = command_of("site_links")

    def page(text: str, **config: Any) -> str:
        where = SimpleNamespace(file=SimpleNamespace(src_uri="decisions/one.md"))
        made = links.on_page_markdown(text, page=where, config={"docs_dir": str(ROOT / "docs"), **config})
        assert isinstance(made, str)
        return made

    with caplog.at_level(logging.WARNING):
        assert page("see [x](../../README.md) and [gate](../gate.md)") == "see x and [gate](../gate.md)"
        assert page("[x](../../README.md)", repo_url="https://host/r/") == "[x](https://host/r/blob/main/README.md)"
        assert not caplog.records
        page("[x](../../nowhere.md)")
    assert "does not exist" in caplog.text


# What pages name


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_files_and_modules_that_a_page_names_exist(page: Path) -> None:
    text = text_of(page)
    files = {*FILE.findall(text), *LINK.findall(text)} - PLACEHOLDERS
    missing = [name for name in sorted(files) if not any((base / name).exists() for base in (ROOT, page.parent))]
    wrong = [name for name in sorted(set(DOTTED.findall(text))) if name != "sigmaloop.toml" and not exists(name)]
    assert (missing, wrong) == ([], [])


def exists(dotted: str) -> bool:
    """Whether a dotted name is a module, or what can be reached from one."""
    module: Any = sigmaloop
    for place, part in enumerate(dotted.split(".")[1:], start=2):
        try:
            module = getattr(module, part)
        except AttributeError:
            try:
                module = import_module(".".join(dotted.split(".")[:place]))
            except ModuleNotFoundError:
                return False
    return True


def documented() -> list[str]:
    return re.findall(r"^::: (\S+)$", text_of(ROOT / "docs" / "api.md"), re.MULTILINE)


def test_the_api_page_has_exactly_the_public_names() -> None:
    names = [path.rpartition(".")[2] for path in documented()]
    assert sorted(names) == sorted(sigmaloop.__all__)
    for path in documented():
        module, _, name = path.rpartition(".")
        assert getattr(import_module(module), name) is getattr(sigmaloop, name), path


def seams() -> dict[str, str]:
    """Public Protocols and abstract classes by name, with the file that defines them."""
    packages = [p for p in ROOT.iterdir() if (p / "__init__.py").is_file() and p.name not in {"tests", "perf"}]
    found = {}
    for path in sorted(p for folder in packages for p in folder.rglob("*.py")):
        if any(parent.is_symlink() for parent in path.parents):
            continue
        for node in ast.walk(ast.parse(text_of(path))):
            bases = {ast.unparse(base) for base in node.bases} if isinstance(node, ast.ClassDef) else set()
            if isinstance(node, ast.ClassDef) and bases & {"Protocol", "ABC"} and not node.name.startswith("_"):
                found[node.name] = by_name(path)
    return found


def test_the_page_on_extending_lists_every_protocol_with_its_file() -> None:
    page = text_of(ROOT / "docs" / "extending.md")
    missing = [f"`{name}` | [{path}](../{path})" for name, path in seams().items()]
    assert len(missing) >= 10
    assert [row for row in missing if row not in page] == []


def test_no_page_has_a_gap() -> None:
    for page in PAGES:
        assert not re.search(r"@@|TODO|TBD|XXX", text_of(page)), page


# What pages tell to run


RUNNABLE = [page for page in PAGES if any(not block["mark"] for block in BLOCK.finditer(text_of(page)))]


@pytest.mark.slow
@pytest.mark.parametrize("page", RUNNABLE, ids=by_name)
def test_python_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    """All its blocks, one after another, in one program whose lines have the numbers that they have in the page."""
    text = text_of(page)
    lines = [""] * (text.count("\n") + 1)
    for block in BLOCK.finditer(text):
        if not block["mark"]:
            first = text.count("\n", 0, block.start("code"))
            code = block["code"].splitlines()
            lines[first : first + len(code)] = code
    program = tmp_path / f"{page.stem}.py"
    program.write_text("\n".join(lines), encoding="utf-8")
    small = {
        "SIGMALOOP_BENCHMARK": "small:TinyHelpdesk",
        "SIGMALOOP_BATCH_SIZE": "4",
        "SIGMALOOP_ATTEMPTS": "1",
        "SIGMALOOP_CERTIFY_TRIALS": "1",
        "SIGMALOOP_CANARIES": "0",
        "SIGMALOOP_HARMFUL_CANARIES": "0",
        "SIGMALOOP_UPSTREAM": "simulated",
        "SIGMALOOP_HOME": str(tmp_path / "home"),
    }
    done = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        env=environment(**small),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3_000:]


def test_a_block_that_is_not_run_says_why_and_is_counted() -> None:
    marked = [block["why"] for page in PAGES for block in BLOCK.finditer(text_of(page)) if block["mark"]]
    assert len(marked) == NOT_RUN
    assert all(len(why.split()) > 2 for why in marked)
    assert len(RUNNABLE) >= 4


def test_the_first_command_stands_near_the_top() -> None:
    lines = README.splitlines()
    assert next(i for i, line in enumerate(lines) if "make demo" in line) < 25
    assert len(lines) < 125


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
