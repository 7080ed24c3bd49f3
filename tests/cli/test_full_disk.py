"""A full disk stops a run with the reason; with room again it goes on and loses nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Command = Callable[..., "CompletedProcess[str]"]
SMALL = (
    "--benchmark", "small:SmallHelpdesk", "--batches", "1", "--batch-size", "8", "--attempts", "2",
    "--certify-trials", "1", "--upstream", "simulated",
)  # fmt: skip


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few kB of our own; only root may make one."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(place)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"no small file system can be mounted here: {made.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_run_on_a_full_disk_says_so_and_goes_on_with_room(command: Command, small_disk: Path) -> None:
    done = command("run", *SMALL, "--home", str(small_disk / "home"))
    assert done.returncode == 3, (done.stdout, done.stderr)
    assert "full" in done.stderr
    assert "Traceback" not in done.stderr
    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    done = command("resume", "--home", str(small_disk / "home"))
    assert done.returncode == 0, done.stderr
    assert "unseen tasks solved" in done.stdout
