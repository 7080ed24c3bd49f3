"""The command line for bubblewrap, and whom it runs as."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from sigmaloop.tools.sandbox.child.wall import landlock
from sigmaloop.tools.sandbox.tiers import bubblewrap


def test_bubblewrap_is_told_to_close_everything_and_covers_the_holes(tmp_path: Path) -> None:
    (tmp_path / "packages/ours").mkdir(parents=True)
    roots, hole = [f"{tmp_path}/packages"], f"{tmp_path}/packages/ours"
    line = bubblewrap.command(
        ["-P", "worker.py"], executable="/usr/bin/python3", files=["/x/worker.py"], roots=roots, holes=[hole]
    )
    text = " ".join(line)
    for part in (
        "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--die-with-parent",
        "--new-session", "--cap-drop ALL", "--clearenv", "--remount-ro /", f"--size 4096 --tmpfs {hole}",
    ):  # fmt: skip
        assert part in text
    assert ("--proc /proc" in text) == bool(landlock.version())
    assert text.endswith("-- /usr/bin/python3 -P worker.py")
    assert text.index(f"--ro-bind-try {roots[0]}") < text.index(f"--tmpfs {hole}")
    tmpfs = [index for index, word in enumerate(line) if word == "--tmpfs"]
    assert all(line[index - 2] == "--size" for index in tmpfs)


def test_a_place_that_nobody_else_may_read_is_named(tmp_path: Path) -> None:
    top = Path("/tmp") / f"sigmaloop-test-{os.getpid()}"
    (top / "closed").mkdir(parents=True)
    file = top / "closed" / "python"
    file.write_text("")
    try:
        assert bubblewrap.unreadable([str(file)]) is None
        file.chmod(0o700)
        assert bubblewrap.unreadable([str(file)]) == str(file)
        file.chmod(0o755)
        (top / "closed").chmod(0o700)
        assert bubblewrap.unreadable([str(file), "/no/such/place"]) == str(top / "closed")
    finally:
        (top / "closed").chmod(stat.S_IRWXU)
        file.unlink()
        (top / "closed").rmdir()
        top.rmdir()


def test_root_becomes_a_user_that_nobody_is() -> None:
    import pwd

    with pytest.raises(KeyError):
        pwd.getpwuid(bubblewrap.free_user_id())
