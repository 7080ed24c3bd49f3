"""`sigmaloop trace`: what an agent did in a rollout, alone or beside another; or which rollouts there are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from sigmaloop.cli.options import home_option, json_option
from sigmaloop.cli.terminal import tell, width
from sigmaloop.records import RolloutOutcome, Split, TraceFilter
from sigmaloop.settings import load_settings

if TYPE_CHECKING:
    from sigmaloop.graph.trace_reading import FoundTrace


@click.command()
@click.argument("trace_id", required=False)
@home_option
@json_option
@click.option("--run", metavar="RUN", help="Run, or recorded eval such as eval-0001.  [default: the newest run]")
@click.option("--against", metavar="ID", help="Show the trace with this ID beside the first one.")
@click.option("--full", is_flag=True, help="Show every line of long steps.")
@click.option("--calls", is_flag=True, help="Show the text of every model call (recorded with --record-calls).")
@click.option("--split", type=click.Choice(get_args(Split)), help="List only this split.")
@click.option("--type", "request_type", metavar="TYPE", help="List only this request type.")
@click.option(
    "--outcome", type=click.Choice(get_args(RolloutOutcome)), help="List only this outcome; `failed` with every error."
)
@click.option("--task", metavar="ID", help="List only this task.")
@click.option("--agent", metavar="AGENT", help="List only this agent: `baseline`, or the beginning of its hash.")
@click.option("--attempt", metavar="ID", help="List only the agent of this attempt, such as A0003.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="List only the newest LIMIT.")
def trace(
    *,
    trace_id: str | None,
    home: Path | None,
    as_json: bool,
    run: str | None,
    against: str | None,
    full: bool,
    calls: bool,
    split: Split | None,
    request_type: str | None,
    outcome: RolloutOutcome | None,
    task: str | None,
    agent: str | None,
    attempt: str | None,
    limit: int,
) -> None:
    """Show the conversation whose ID begins with TRACE_ID; without it, list what is there.

    TRACE_ID may be the id of a failure, too. Traces of validation and test are for people: no specialist reads them.
    """
    home = home or load_settings().home
    if trace_id is None:
        if against or calls:
            raise click.UsageError("--against and --calls need a TRACE_ID")
        wanted = TraceFilter(split=split, request_type=request_type, outcome=outcome, task_id=task, limit=limit)
        _list(home, wanted, run=run, agent=agent, attempt=attempt, as_json=as_json)
        return
    if any((split, request_type, outcome, task, agent, attempt)):
        raise click.UsageError("the filters are for the list; leave them or TRACE_ID out")
    from sigmaloop.graph.trace_reading import find_trace

    one = find_trace(home, trace_id, run=run)
    other = find_trace(home, against, run=run) if against else None
    if as_json:
        tell(json.dumps({"trace": _json(one, calls), **({"against": _json(other, calls)} if other else {})}, indent=2))
        return
    _show(one, other, full=full)
    if calls:
        for found in filter(None, (one, other)):
            _show_calls(found, full=full)


def _list(
    home: Path, wanted: TraceFilter, *, run: str | None, agent: str | None, attempt: str | None, as_json: bool
) -> None:
    from sigmaloop.graph.trace_reading import list_traces
    from sigmaloop.traces.conversation_text import listing

    found = list_traces(home, wanted, run=run, agent=agent, attempt=attempt)
    if as_json:
        rows = [
            {
                "id": t.rollout.id,
                "agent": found.agents.get(t.rollout.key.agent, ""),
                "outcome": t.rollout.outcome,
                "written": t.written,
                "rollout": t.rollout.model_dump(mode="json"),
            }
            for t in found.traces
        ]
        tell(json.dumps({"run": found.place.name, "traces": rows}, indent=2))
        return
    if not found.traces:
        tell(f"no trace of {found.place.short} is like that; `sigmaloop trace --run {found.place.short}` lists all")
        return
    for line in listing(found.traces, width=width(), names=found.agents):
        tell(line)
    if wanted.limit == len(found.traces):
        tell(f"the newest {wanted.limit} of {found.place.short}; --limit shows more", err=True)


def _show(one: FoundTrace, other: FoundTrace | None, *, full: bool) -> None:
    from sigmaloop.traces.conversation_text import conversation
    from sigmaloop.traces.side_by_side import side_by_side

    if other is None:
        lines = conversation(one.trace, width=width(), agent=one.agent, place=one.place.short, full=full)
    else:
        names = (one.agent, other.agent)
        lines = side_by_side(one.trace, other.trace, width=width(), names=names, full=full)
    for line in lines:
        tell(line)


def _show_calls(found: FoundTrace, *, full: bool) -> None:
    from sigmaloop.graph.trace_reading import recorded_calls
    from sigmaloop.traces.call_text import call_lines

    for call in recorded_calls(found):
        tell("")
        for line in call_lines(call.number, call.request, call.answer, width=width(), full=full):
            tell(line)


def _json(found: FoundTrace, calls: bool) -> dict[str, object]:
    from sigmaloop.graph.trace_reading import recorded_calls

    told: dict[str, object] = {"run": found.place.name, "agent": found.agent, **found.trace.model_dump(mode="json")}
    told["outcome"] = found.trace.rollout.outcome
    if calls:
        told["calls"] = [call._asdict() for call in recorded_calls(found)]
    return told
