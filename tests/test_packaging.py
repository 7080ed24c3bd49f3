"""The wheel holds every module and every file that the code reads, also when it is built without the links."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PLACES: dict[str, str] = PROJECT["tool"]["setuptools"]["package-dir"]
FOLDERS = sorted({place.partition("/")[0] for place in PLACES.values()} - {"sigmaloop"})
IMPORT_ALL = """
import importlib, pkgutil, sigmaloop
for name in sigmaloop.__all__:
    getattr(sigmaloop, name)
for module in pkgutil.walk_packages(sigmaloop.__path__, "sigmaloop."):
    assert module.name.count(".") < 2 or importlib.util.find_spec(module.name).origin, module.name
print(sigmaloop.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the checkout in which no link was made, as where git may make none."""
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"
    for name in files.stdout.splitlines():
        source, place = ROOT / name, copy / name
        if source.is_file() and not source.is_symlink():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(source.read_bytes())
    assert not any(path.is_symlink() for path in copy.rglob("*"))
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(copy)],
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_every_module_prompt_and_policy(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        f"sigmaloop/{path.relative_to(ROOT)}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".md", ".toml", ".json", ".txt"} and path.is_file()
    }
    wanted |= {"sigmaloop/records.py", "sigmaloop/errors.py", "sigmaloop/settings.py", "sigmaloop/py.typed"}
    assert wanted - names == set()


def test_what_is_installed_without_links_has_every_public_name(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert Path(done.stdout.strip()).parent == tmp_path / "sigmaloop"


def test_each_mapped_folder_has_its_link_and_is_counted_by_coverage() -> None:
    links = {path.name: path.readlink() for path in (ROOT / "sigmaloop").iterdir() if path.is_symlink()}
    assert links == {folder: Path("..", folder) for folder in FOLDERS}
    assert set(PROJECT["tool"]["coverage"]["run"]["source"]) == {"sigmaloop", *FOLDERS} - {"target_agent"}


def test_the_workflow_runs_the_versions_that_the_package_names() -> None:
    classifiers = PROJECT["project"]["classifiers"]
    named = [line.rpartition(" ")[2] for line in classifiers if line.startswith("Programming Language :: Python :: 3.")]
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert f"python: {named}".replace("'", '"') in workflow
    assert "- run: .ci/run" in workflow


def test_every_dependency_has_one_exact_version() -> None:
    """Those of the extras, too: `make test` installs nothing that constraints.txt does not pin."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.partition("==")[0] for line in lines}
    extras = PROJECT["project"]["optional-dependencies"].values()
    asked = [*PROJECT["project"]["dependencies"], *(line for extra in extras for line in extra)]
    names = {line.partition(">=")[0].partition("[")[0] for line in asked} - {"sigmaloop"}
    assert names - pinned == set()
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0])
