"""`sigmaloop apply`: take the kept agent out of a run and into your own repository."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sigmaloop.cli.options import home_option, json_option
from sigmaloop.cli.terminal import tell


@click.command()
@click.argument("run_id", required=False)
@home_option
@json_option
@click.option("--output", type=click.Path(path_type=Path), help="Write the kept agent to this file.")
@click.option("--patch", type=click.Path(path_type=Path), help="Write a patch for `git apply` to this file.")
@click.option("--branch", help="Make this branch in your repository, with the kept agent as one commit.")
@click.option("--repo", type=click.Path(path_type=Path), default=Path(), help="Your repository, for --branch [.].")
@click.option("--path", "inside", help="The agent file's path inside your repository, for --branch and --patch.")
@click.option("--force", is_flag=True, help="Overwrite an existing file or branch.")
def apply(
    *,
    run_id: str | None,
    home: Path | None,
    as_json: bool,
    output: Path | None,
    patch: Path | None,
    branch: str | None,
    repo: Path,
    inside: str | None,
    force: bool,
) -> None:
    """Take the kept agent of a run: the newest, or the one whose id begins with RUN_ID.

    Without --output, --patch or --branch it prints the difference to the agent that the run began with.
    """
    from sigmaloop.errors import BadInput
    from sigmaloop.graph.run import Run

    run = Run.open(run_id, home=home)
    written = []
    for place in (output, patch):
        if place and place.exists() and not force:
            raise BadInput(f"{place} exists; choose another name or add --force")
    changed = run.patch(inside)
    if (patch or branch) and not changed:
        raise BadInput(f"run {run.id[:8]} has kept no change: there is nothing to apply")
    if output:
        _write(output, run.agent())
        written.append(f"file {output}")
    if patch:
        _write(patch, changed)
        written.append(f"patch {patch}")
    if branch:
        commit = run.write_branch(repo, branch=branch, path=inside, force=force)
        written.append(f"branch {branch} at {commit[:12]} in {repo}")
    if as_json:
        tell(json.dumps({"run_id": run.id, "written": written, "diff": run.diff()}, indent=2))
    elif written:
        tell("wrote " + ", ".join(written))
    else:
        tell(run.diff() or "the run has kept no change")


def _write(place: Path, text: str) -> None:
    from sigmaloop.errors import BadInput

    try:
        place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{place} cannot be written: {error.strerror}; choose another place") from None
