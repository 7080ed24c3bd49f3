"""`sigmaloop init`: the files to start from, in an empty folder or beside what is there; nothing is overwritten."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import click

from sigmaloop.cli.terminal import tell

KINDS = ("plain", "openai", "langgraph", "prompt")
NEXT = """Next, in {folder}:
  sigmaloop benchmark check my_benchmark:FrontDesk   is the benchmark sound? needs no model
  sigmaloop eval --upstream simulated                what is the agent worth?{needs}
  sigmaloop run --upstream simulated                 improve it; with OPENAI_API_KEY leave the upstream out"""


@click.command()
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--agent", "kind", type=click.Choice(KINDS), default="plain", show_default=True, help="Agent to start from."
)
def init(*, folder: Path, kind: str) -> None:
    """Write settings, an agent, a benchmark with its splits, and a page for your goals into FOLDER.

    `plain` calls no model, so it works without a key. Files that are there stay as they are.
    """
    from sigmaloop.errors import BadInput

    wanted = {
        "sigmaloop.toml": "sigmaloop.toml",
        "program.md": "program.md",
        "agent.py": f"agent_{kind}.py",
        "my_benchmark.py": "my_benchmark.py",
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, template in wanted.items():
            text = resources.files("sigmaloop.cli").joinpath("templates", f"{template}.txt").read_text(encoding="utf-8")
            tell(f"{'wrote' if _written(folder / name, text) else 'kept '} {name}")
    except OSError as error:
        raise BadInput(f"{error.filename or folder} cannot be written: {error.strerror}; name another folder") from None
    tell(NEXT.format(folder=folder, needs="" if kind == "plain" else " needs a model"))


def _written(path: Path, text: str) -> bool:
    """Whether it was; a file, or a link, of that name stays as it is, even one that appears this moment."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True
