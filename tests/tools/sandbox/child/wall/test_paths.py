"""Folders with holes, for a kernel that knows allowed paths only."""

from __future__ import annotations

import os
from pathlib import Path

from sigmaloop.tools.sandbox.child.wall.paths import readable


def test_a_folder_with_a_hole_is_allowed_entry_by_entry(tmp_path: Path) -> None:
    for name in ("lib/a", "lib/secret/deep", "lib/packages/ours", "lib/packages/theirs"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "lib/file").write_text("")
    (tmp_path / "lib/link").symlink_to("/etc")
    top = os.path.realpath(tmp_path)
    whole, listed = readable([f"{top}/lib"], [f"{top}/lib/secret", f"{top}/lib/packages/ours", f"{top}/elsewhere"])
    assert whole == [f"{top}/lib/a", f"{top}/lib/file", f"{top}/lib/packages/theirs"]
    assert listed == [f"{top}/lib", f"{top}/lib/packages"]
    assert readable([f"{top}/lib/a"], []) == ([f"{top}/lib/a"], [])
    assert readable([f"{top}/lib/a"], [f"{top}/lib/a"]) == ([], [])
