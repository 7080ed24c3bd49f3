"""The wheel holds every module and every file that the code reads."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("graph", "agents", "tools", "target_agent", "memory", "eval", "simulation", "cli")


def test_the_wheel_holds_every_module_prompt_and_policy(tmp_path: Path) -> None:
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    copy = tmp_path / "source"
    for name in files.stdout.splitlines():
        source, place = ROOT / name, copy / name
        if source.is_file() or source.is_symlink():
            place.parent.mkdir(parents=True, exist_ok=True)
            if source.is_symlink():
                place.symlink_to(source.readlink())
            else:
                place.write_bytes(source.read_bytes())
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(copy)],
        check=True,
        capture_output=True,
    )
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    wanted = {
        f"sigmaloop/{path.relative_to(ROOT)}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".md", ".toml", ".json"} and path.is_file()
    }
    wanted |= {"sigmaloop/records.py", "sigmaloop/errors.py", "sigmaloop/settings.py", "sigmaloop/py.typed"}
    assert wanted - names == set()
