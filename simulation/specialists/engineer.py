"""The simulated harness engineer: reads the brief, fixes a plan, and carries it out tool call by tool call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from sigmaloop.records import ChangeKind
from sigmaloop.simulation.messages import Message
from sigmaloop.simulation.specialists import changes
from sigmaloop.simulation.specialists.changes import Plan, Quality
from sigmaloop.simulation.specialists.edit_points import Edit
from sigmaloop.simulation.specialists.recognition import recognise
from sigmaloop.simulation.specialists.request import Request, Turn, field

_WEIGHTS: dict[ChangeKind, float] = {
    "prompt": 0.42,
    "example": 0.2,
    "control_flow": 0.17,
    "tool": 0.15,
    "context": 0.06,
}
T = TypeVar("T")
REPLAYS, MOST_REPLAYS = 0.7, 2
"""Share of attempts that are tried on a real task, and how often at most."""
INFORMED, WARNED, REDRAFT = 0.85, 0.3, 0.5
"""How often a poor change becomes a specific one: by the judge's idea or a lesson, by seeing that an earlier one
failed, by seeing this one fail."""
MIXED = 0.5
"""How often a cluster of several causes gets one rule that serves two of them, each less clearly."""
_ATTEMPT = r"^- (?:A\d+ )?\[(\w+)\] (.*?) -> (?:kept|rejected)(?! by \w+ \(at)"
"""The first line of an earlier attempt at this cluster."""
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
    written = [turn for turn in edits if not turn.result.startswith("Error")]
    failed = _failed_replays(turns)
    if len(written) <= failed and len(edits) < 3 + failed:
        change = _change(request, turns, plan, written)
        if change is not None:
            slip = not edits and request.draw("slip") < 0.06
            old = change.old.replace("    ", "  ").replace("\n", " \n") if slip else change.old
            return request.call("replace_text", {"old": old, "new": change.new})
    trying = _try(request, turns, plan, written)
    if trying is not None:
        return trying
    return request.call(
        "FinishedChange",
        {"hypothesis": _hypothesis(plan), "kind": plan.kind, "summary": changes.summary(plan)},
    )


def _change(request: Request, turns: list[Turn], plan: Plan, written: list[Turn]) -> Edit | None:
    """The first edit of the plan; after a replay that failed, its words in place of those that did not work."""
    if not written:
        return changes.edit(plan, _source(request, turns), request)
    # The same place of the file as it was, with other words in it.
    change = changes.edit(plan, _source(request, turns), request)
    before = written[-1].arguments
    if change is None or change.old != str(written[0].arguments.get("old", "")):
        return None
    return Edit(str(before.get("new", "")), change.new) if change.new != before.get("new") else None


def _try(request: Request, turns: list[Turn], plan: Plan, written: list[Turn]) -> Message | None:
    """A replay of the newest failure, mostly, once for each version of the change; else a dry run now and then."""
    if not written or plan.quality == "broken":
        return None
    replays = [turn for turn in turns if turn.tool == "replay"]
    after = replays and turns.index(replays[-1]) > turns.index(written[-1])
    name = re.search(r"^== (F[0-9a-f]+(?:-\d)?)", request.section("traces"), re.MULTILINE)
    wants = request.draw("replay") < REPLAYS and not after and len(replays) < MOST_REPLAYS
    if "replay" in request.tools and name and wants:
        return request.call("replay", {"failure_id": name.group(1)})
    tried = any(turn.tool in ("dry_run", "replay") for turn in turns)
    if "dry_run" in request.tools and not tried and request.draw("rehearse") >= 0.4:
        return request.call("dry_run", {})
    return None


def _failed_replays(turns: list[Turn]) -> int:
    return sum(turn.tool == "replay" and "It failed" in turn.result[:80] for turn in turns)


def plan_of(request: Request, turns: list[Turn]) -> Plan:
    """What this attempt will write: decided by the brief, in detail by what was looked up and by failed replays."""
    failures = request.section("failures")
    cause = field(request.section("cluster"), "root cause")
    title = field(request.section("cluster"), "title")
    remedies = re.findall(r"should have: *(.+)", failures) or [cause or "Follow the policy."]
    draft = _failed_replays(turns)
    past = _past(request)
    ideas = _ideas(request, cause, title)
    remedy = _remedy(request, remedies, ideas, draft)
    quality = _quality(request, past, informed=bool(ideas), draft=draft)
    kind = _kind(request, [kind for kind, _ in past])
    trace = "\n".join(turn.result for turn in turns if turn.tool == "read_trace") or request.section("traces")
    tool = _tool(trace or failures)
    reason = f"{len(past)} attempts and {draft} drafts did not work" if past or draft else ""
    text = changes.wording(remedy, request, reason=reason)
    if quality == "specific" and (mixed := _mixed(remedies)) and request.draw("mixed") < MIXED:
        text = changes.blurred(mixed, request)
    if quality == "repeat" and past:
        old_kind, old_text = past[-1]
        return Plan("repeat", old_kind, old_text or text, cause, tool)
    if quality == "half":
        text, kind = changes.half(title or cause, request), "prompt"
    elif quality == "vague":
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


def _remedy(request: Request, remedies: list[str], ideas: list[str], draft: int) -> str:
    """What to tell the agent: what the judge or a lesson says, else what the failures or the diagnosis say.

    It is one of all that is said: a cluster of several causes gives a rule about any one of them.
    """
    if ideas and request.draw("takes idea") < 0.85:
        return request.pick(ideas, "idea", draft)
    diagnosed = field(request.section("diagnosis"), "missing instruction")
    said = list(dict.fromkeys([*remedies, diagnosed] if diagnosed else remedies))
    return request.pick(said, "remedy", draft)


def _mixed(remedies: list[str]) -> str:
    """Of a cluster with several causes: the remedies of two of them; empty for any other."""
    by_cause = {habit: text for text in reversed(remedies) if (habit := recognise(text)) is not None}
    return " ".join(list(by_cause.values())[:2]) if len(by_cause) > 1 else ""


def _ideas(request: Request, cause: str, title: str) -> list[str]:
    """What the judge of earlier attempts and the lessons say to do about this very cause."""
    said = re.findall(r"next idea: *(?:Say [^:]*: )(.+)", request.section("attempts"))
    said += re.findall(r"follows: *(?:Say [^:]*: )(.+?[.])", request.section("learnings"))
    habit = recognise(f"{title} {cause}")
    return list(dict.fromkeys(text for text in said if habit is not None and recognise(text) == habit))


def _subject(failures: str) -> str:
    """What the first failure's request was about, in words."""
    kind = re.search(r"^- F[0-9a-f]+(?:-\d)? \((\w+)", failures, re.MULTILINE)
    return kind.group(1).replace("_", " ") if kind else "such requests"


def _looks(request: Request) -> list[tuple[str, dict[str, str]]]:
    """What is looked up before anything is written."""
    title = field(request.section("cluster"), "title")
    looks: list[tuple[str, dict[str, str]]] = []
    if not request.section("agent") or request.draw("look agent") < 0.1:
        looks.append(("read_agent", {}))
    if request.draw("look failures") < 0.15:
        looks.append(("search_failures", {"query": title}))
    if request.draw("look attempts") < 0.25:
        looks.append(("search_attempts", {"query": title}))
    if request.draw("look learnings") < 0.2:
        looks.append(("search_learnings", {"query": title}))
    failure = re.search(r"^- (F[0-9a-f]+(?:-\d)?) ", request.section("failures"), re.MULTILINE)
    if failure and request.section("traces") in ("", "none"):
        looks.append(("read_trace", {"failure_id": failure.group(1)}))
    return looks


def _past(request: Request) -> list[tuple[ChangeKind, str]]:
    """Kind and words of the earlier attempts that the brief shows."""
    lines = re.findall(
        r"^- (?:A\d+ )?\[(\w+)\] (.*?) -> (?:kept|rejected)(?! by \w+ \(at)", request.section("attempts"), re.MULTILINE
    )
    known = {kind: kind for kind in changes.KINDS}
    return [(known[kind], text.partition(": ")[2].strip()) for kind, text in lines if kind in known]


def _quality(request: Request, past: list[tuple[ChangeKind, str]], *, informed: bool, draft: int) -> Quality:
    """How good the change will be. Who knows why the last one failed, or saw this one fail, hardly stays vague."""
    quality = _weighed(dict(changes.SHARES), request.draw("quality"))
    poor = quality in ("half", "vague", "broad", "overfit")
    if poor and (request.draw("knows") < INFORMED if informed else past and request.draw("warned") < WARNED):
        return "specific"
    if poor and any(request.draw("seen", number) < REDRAFT for number in range(draft)):
        return "specific"
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


def _source(request: Request, turns: list[Turn]) -> str:
    read = (turn.result for turn in reversed(turns) if turn.tool == "read_agent")
    return next(read, request.section("agent") + "\n")


def _hypothesis(plan: Plan) -> str:
    cause = plan.cause or "The agent is not told what to do here."
    return f"{cause} Told so at the right place, the agent will do it: {plan.text}"
