"""The walkthrough notebook runs from top to bottom, on a benchmark of which nothing is played, and shows pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from processes import environment

NOTEBOOK = Path(__file__).parent.parent.parent / "notebooks" / "walkthrough.ipynb"
SMALL = {
    "SIGMALOOP_BENCHMARK": "small:Mendable", "SIGMALOOP_BATCH_SIZE": "4", "SIGMALOOP_MAX_ATTEMPTS": "2",
    "SIGMALOOP_BANK_TRIALS": "1",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_walkthrough_runs_and_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    for name, value in environment(**SMALL).items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    cells = {cell["id"]: cell for cell in notebook.cells}
    assert "```mermaid" in shown(cells["drawing"], "text/markdown")
    for name in ("headline", "resume", "changes"):
        assert "<svg" in shown(cells[name], "text/html"), name
    assert "C001" in shown(cells["clusters"], "text/html")
    assert "<table" in shown(cells["attempts"], "text/html")
    assert "+++" in "".join(output.get("text", "") for output in cells["diff"]["outputs"])
    assert "finished" in "".join(output.get("text", "") for output in cells["end"]["outputs"])


def shown(cell: Any, kind: str) -> str:
    return "".join(output.get("data", {}).get(kind, "") for output in cell["outputs"])
