"""`sigmaloop apply`: take the kept agent out of a run and into your own repository."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sigmaloop.cli.options import home_option, json_option
from sigmaloop.cli.terminal import tell
from sigmaloop.errors import BadInput
from sigmaloop.graph.run import Run, Which
from sigmaloop.settings import SIMULATED
from sigmaloop.tools.changes.text_form import in_form_of


@click.command()
@click.argument("run_id", required=False)
@home_option
@json_option
@click.option("--output", type=click.Path(path_type=Path), help="Write the agent to this file.")
@click.option("--patch", type=click.Path(path_type=Path), help="Write a patch for `git apply` to this file.")
@click.option("--branch", help="Create this branch in your repository, with the agent as one commit.")
@click.option(
    "--repo", type=click.Path(path_type=Path), default=Path(), help="Your repository, for --branch.  [default: .]"
)
@click.option("--path", "inside", help="Path of the agent file inside your repository, for --branch and --patch.")
@click.option(
    "--agent-of",
    "which",
    type=click.Choice(["kept", "certified", "baseline"]),
    default="kept",
    help="Take the kept agent, the newest one certified as better, or the baseline.  [default: kept]",
)
@click.option(
    "--uncertified", is_flag=True, help="Take the kept agent although no certificate shows that it is better."
)
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
    which: Which,
    uncertified: bool,
    force: bool,
) -> None:
    """Take the kept agent out of a run: the newest run, or the one whose ID begins with RUN_ID.

    Without --output, --patch or --branch it prints the diff from the baseline agent. Your file keeps its line endings
    and byte order mark; --branch merges with what you have committed to the file since the run started.
    """
    run = Run.open(run_id, home=home)
    for place in (output, patch):
        if place and place.exists() and not force:
            raise BadInput(f"{place} exists; choose another name or add --force")
    doubt = _doubt(run) if which == "kept" else ""
    if doubt and (output or patch or branch) and not uncertified:
        raise BadInput(f"{doubt}; add --uncertified to take it anyway, or choose another agent with --agent-of")
    original = _original(run, repo, inside)
    changed = run.patch(inside, which=which, original=original)
    if (patch or branch) and not changed:
        raise BadInput(f"run {run.id[:8]} has kept no change: there is nothing to apply")
    written = []
    if output:
        _write(output, in_form_of(original, run.agent(which)))
        written.append(f"file {output}")
    if patch:
        _write(patch, changed)
        written.append(f"patch {patch}")
    if branch:
        made = run.write_branch(repo, branch=branch, path=inside, which=which, force=force)
        merged = ", merged with your commits since the run started; score the result before you trust it"
        written.append(f"branch {branch} at {made.commit[:12]} in {repo}{merged if made.merged else ''}")
    if as_json:
        told = {"doubt": doubt, "simulated": run.summary().simulated, "diff": changed.decode()}
        answer = {"run_id": run.id, "agent": which, "written": written, **told}
        tell(json.dumps(answer, indent=2))
        return
    tell("wrote " + ", ".join(written) if written else changed.decode() or "the run has kept no change")
    if doubt:
        tell(f"sigmaloop: {doubt}", err=True)
    if which != "baseline" and run.summary().simulated:
        tell(
            f"sigmaloop: this agent was made and measured by the {SIMULATED}; score it with a real one first", err=True
        )


def _doubt(run: Run) -> str:
    """What is to be said against taking the kept agent; empty when it is certified, or nothing was kept."""
    summary = run.summary()
    if not summary.kept:
        return ""
    name, certificate = f"run {summary.run_id[:8]}", summary.certificate
    if summary.condition != "finished":
        return f"{name} is {summary.condition}, not finished: what it has kept so far has no certificate yet"
    if certificate is None:
        return f"{name} has no certificate of the agent that it kept"
    if not certificate.interval or certificate.interval[0] < 0:
        points = [f"{100 * value:+.1f}" for value in (certificate.difference, *(certificate.interval or ()))]
        between = f", 95 % interval {points[1]} to {points[2]}" if len(points) > 1 else ""
        return f"the certificate of {name} does not show that the kept agent is better ({points[0]} points{between})"
    return ""


def _original(run: Run, repo: Path, inside: str | None) -> bytes:
    """The user's agent file, for its line ends and its byte order mark; nothing when it is not found."""
    for place in ([repo / inside] if inside else []) + [run.settings.edited]:
        try:
            if place is not None:
                return place.read_bytes()
        except OSError:
            continue
    return b""


def _write(place: Path, data: bytes) -> None:
    try:
        place.write_bytes(data)
    except OSError as error:
        raise BadInput(f"{place} cannot be written: {error.strerror}; choose another place") from None
