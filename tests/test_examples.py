"""Examples run as they are, without a key, in an empty folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from processes import environment

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.slow
def test_hello_loop_finds_the_cure_and_certifies_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "hello_loop.py")],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert " kept: " in done.stdout
    assert "+++ b/agent.py" in done.stdout
    assert "0.00 -> 1.00" in done.stdout
    assert list(tmp_path.iterdir()) == []  # it works in a folder of its own and removes it
