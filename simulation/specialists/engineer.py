"""The simulated harness engineer: reads the brief, fixes a plan, and carries it out tool call by tool call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from sigmaloop.records import ChangeKind
from sigmaloop.simulation.messages import Message
from sigmaloop.simulation.specialists import changes
from sigmaloop.simulation.specialists.changes import Plan, Quality
from sigmaloop.simulation.specialists.request import Request, Turn, field

_WEIGHTS: dict[ChangeKind, float] = {
    "prompt": 0.42,
    "example": 0.2,
    "control_flow": 0.17,
    "tool": 0.15,
    "context": 0.06,
}
T = TypeVar("T")
_READING = ("find", "get", "list", "search", "check", "verify")


def answer(request: Request) -> Message:
    """The next tool call of this attempt, following from the brief and the calls made so far."""
    turns = request.turns
    tools_used = [turn.tool for turn in turns]
    for name, arguments in _looks(request):
        if name in request.tools and name not in tools_used:
            return request.call(name, arguments)
    plan = plan_of(request, turns)
    edits = [turn for turn in turns if turn.tool == "replace_text"]
    done = any(not turn.result.startswith("Error") for turn in edits)
    if not done and len(edits) < 3:
        change = changes.edit(plan, _source(turns), request)
        if change is not None:
            slip = not edits and request.draw("slip") < 0.06
            old = change.old.replace("    ", "  ").replace("\n", " \n") if slip else change.old
            return request.call("replace_text", {"old": old, "new": change.new})
    rehearsed = "dry_run" in tools_used or plan.quality == "broken" or request.draw("rehearse") < 0.4
    if done and not rehearsed and "dry_run" in request.tools:
        return request.call("dry_run", {})
    return request.call(
        "FinishedChange",
        {"hypothesis": _hypothesis(plan), "kind": plan.kind, "summary": changes.summary(plan)},
    )


def plan_of(request: Request, turns: list[Turn]) -> Plan:
    """What this attempt will write: decided by the brief, in detail by what was looked up."""
    failures = request.section("failures")
    cause = field(request.section("cluster"), "root cause")
    remedies = re.findall(r"should have: *(.+)", failures) or [cause or "Follow the policy."]
    remedy = request.pick(list(dict.fromkeys(remedies)), "remedy")
    past = _past(request)
    quality = _quality(request, past)
    kind = _kind(request, [kind for kind, _ in past])
    trace = "\n".join(turn.result for turn in turns if turn.tool == "read_trace")
    tool = _tool(trace or failures)
    text = changes.wording(remedy, request)
    if quality == "repeat" and past:
        old_kind, old_text = past[-1]
        return Plan("repeat", old_kind, old_text or text, cause, tool)
    if quality == "vague":
        text, kind = (
            changes.vague(_subject(failures), request),
            "prompt" if request.draw("vague kind") < 0.8 else "context",
        )
    elif quality == "broad":
        text, kind = changes.broad(f"{cause} {remedy}", request), "prompt"
    elif quality == "overfit":
        text = changes.overfit(remedy, trace or failures, request)
        kind = "prompt"
    elif quality == "broken":
        kind = "control_flow"
    return Plan(quality, kind, text, cause, tool, wide=not tool or request.draw("wide") < 0.6)


def _subject(failures: str) -> str:
    """What the first failure's request was about, in words."""
    kind = re.search(r"^- F[0-9a-f]+ \((\w+)", failures, re.MULTILINE)
    return kind.group(1).replace("_", " ") if kind else "such requests"


def _looks(request: Request) -> list[tuple[str, dict[str, str]]]:
    """What is looked up before anything is written."""
    title = field(request.section("cluster"), "title")
    looks: list[tuple[str, dict[str, str]]] = [("read_agent", {})]
    if request.draw("look failures") < 0.15:
        looks.append(("search_failures", {"query": title}))
    if request.draw("look attempts") < 0.25:
        looks.append(("search_attempts", {"query": title}))
    if request.draw("look learnings") < 0.2:
        looks.append(("search_learnings", {"query": title}))
    failure = re.search(r"^- (F[0-9a-f]+) ", request.section("failures"), re.MULTILINE)
    if failure:
        looks.append(("read_trace", {"failure_id": failure.group(1)}))
    return looks


def _past(request: Request) -> list[tuple[ChangeKind, str]]:
    """Kind and words of the earlier attempts that the brief shows."""
    lines = re.findall(r"^- \[(\w+)\] (.*?) -> (?:kept|rejected)", request.section("attempts"), re.MULTILINE)
    known = {kind: kind for kind in changes.KINDS}
    return [(known[kind], text.partition(": ")[2].strip()) for kind, text in lines if kind in known]


def _quality(request: Request, past: list[tuple[ChangeKind, str]]) -> Quality:
    quality = _weighed(dict(changes.SHARES), request.draw("quality"))
    # Who is shown what was tried hardly tries it again; who is not shown it repeats the obvious idea.
    if quality == "repeat" and past and request.draw("noticed") < 0.85:
        return "specific"
    return quality


def _kind(request: Request, tried: list[ChangeKind]) -> ChangeKind:
    """Another kind than those tried before, the more usual ones more often."""
    left = changes.kinds_left(tried)
    return _weighed({kind: _WEIGHTS[kind] for kind in left}, request.draw("kind"))


def _weighed(weights: Mapping[T, float], draw: float) -> T:
    """One of the keys, by weight; `draw` is in [0, 1)."""
    at = draw * sum(weights.values())
    *heads, last = weights.items()
    for key, weight in heads:
        if at < weight:
            return key
        at -= weight
    return last[0]


def _tool(seen: str) -> str:
    """The tool that a note or a check is about: the last one in a trace that changes something."""
    called = re.findall(r"(?:CALL|act) ([a-z]+(?:_[a-z]+)+)", seen)
    writes = [name for name in called if not name.startswith(_READING) and name != "transfer_to_human"]
    if writes:
        return str(writes[-1])
    return str(called[-1]) if called else ""


def _source(turns: list[Turn]) -> str:
    return next((turn.result for turn in reversed(turns) if turn.tool == "read_agent"), "")


def _hypothesis(plan: Plan) -> str:
    cause = plan.cause or "The agent is not told what to do here."
    return f"{cause} Told so at the right place, the agent will do it: {plan.text}"
