"""What to do now: the next commands as they are to be typed, and what to read first."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from sigmaloop.report.material import Material
from sigmaloop.report.record import Attempt, Command, Need, State, Step
from sigmaloop.report.words import plural

QUESTIONS = (
    "Would you have merged each of them by hand? Does it contradict your policy? Does it name anything that exists "
    "only in this benchmark?"
)


def todo_of(material: Material, state: State, kept: Sequence[Attempt], needs: Sequence[Need]) -> tuple[Step, ...]:
    """Steps in order; the command of each works as it is written."""
    run = f"{material.paths.run_id[:8]}{place_of(material.paths.home)}"
    if state == "waiting":
        return (
            Step(text="Read the change, then keep it or not:", section="asked", commands=(
                Command(text=f"sigmaloop resume {run} --approve", why="keep it"),
                Command(text=f"sigmaloop resume {run} --decline", why="reject it"),
            )),
        )  # fmt: skip
    if state == "running":
        text = "Nothing. Ctrl-C where it runs stops it; nothing is lost."
        return (Step(text=text, commands=(Command(text=f"sigmaloop status {run} --watch", why="look on"),)),)
    if state in ("paused", "stopped", "new", "uncertified"):
        text = "Mend what it says above, then go on:" if state == "paused" else "Go on where it stopped:"
        return (Step(text=text, commands=(Command(text=f"sigmaloop resume {run}"),)), *_people(needs))
    if state == "unchanged":
        text = "Read why the nearest ones were rejected; more attempts, or more tasks in the benchmark, may find one."
        return (Step(text=text, section="rejected"), *_people(needs))
    if state == "worse":
        return (Step(text="Keep your old agent. Read what was changed.", section="changed"), *_people(needs))
    return (_read(kept), _take(run, state, material.settings.edited or Path("agent.py")), *_people(needs))


def place_of(home: Path) -> str:
    """The flag that names a home, where it is not the default one."""
    return "" if str(home) == ".sigmaloop" else f" --home {shlex.quote(str(home))}"


def _read(kept: Sequence[Attempt]) -> Step:
    return Step(text=f"Read the {plural(len(kept), 'change')}. {QUESTIONS}", section="changed")


def _take(run: str, state: State, agent: Path) -> Step:
    name, better = shlex.quote(agent.name), shlex.quote(f"better_{agent.name}")
    doubt = " --uncertified" if state == "unproven" else ""
    text = "If you want it although nothing is proven:" if doubt else "Take the new agent, as a file or as a branch:"
    return Step(
        text=text,
        commands=(
            Command(text=f"sigmaloop apply {run} --output {better}{doubt}", why="take them"),
            Command(text=f"sigmaloop apply {run} --branch better --repo . --path {name}{doubt}", why="as a branch"),
        ),
    )


def _people(needs: Sequence[Need]) -> tuple[Step, ...]:
    if not needs:
        return ()
    return (Step(text=f"Look at {plural(len(needs), 'thing')} that only a person can decide.", section="needs"),)
