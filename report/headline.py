"""Is the agent better, for certain? The state of a run, and the sentences that say it everywhere."""

from __future__ import annotations

from typing import Any

from sigmaloop.memory.facts import Heartbeat
from sigmaloop.memory.overview import BESIDE_TRIAL, CERTIFY_TRIAL, Result
from sigmaloop.records import Certificate
from sigmaloop.report.agreement import differ, trials_to_settle
from sigmaloop.report.attempts import UNGATED
from sigmaloop.report.material import Material
from sigmaloop.report.record import Headline, Live, Measure, Question, State
from sigmaloop.report.words import clock, count, cut, duration, percent, plural, points, signed

QUIET_SECONDS = 600
"""Without a sign of life for so long, something may hang."""
BANNER = "A stand-in answered instead of a language model. The figures show that the machine works, and nothing else."


def state_of(material: Material, question: dict[str, Any] | None) -> State:
    """Where a run stands, as its first line says it."""
    if question or material.condition == "paused":
        return "waiting" if question and "answers" in question else "paused"
    if material.condition == "running":
        return "running"
    if material.condition != "finished":
        return "stopped" if material.baseline else "new"
    found = certificate_of(material)
    if found is None:
        return "uncertified"
    if not _kept(material):
        return "unchanged"
    if found.interval is None or found.interval[0] <= 0 <= found.interval[1]:
        return "unproven"
    return "better" if found.interval[0] > 0 else "worse"


def certificate_of(material: Material) -> Certificate | None:
    """The headline's: on the sealed test split, else on validation."""
    own = material.certificates
    return own.get("test", own.get("validation"))


def headline(material: Material, state: State, question: dict[str, Any] | None) -> Headline:
    """Badge and sentences of a state."""
    told = _headline(material, state, question)
    pasted = sum(entry.outcome == "kept" and entry.reason == UNGATED for entry in material.ledger)
    if not pasted:
        return told
    said = f"{plural(pasted, 'change')} kept without a gate (--strategy paste): only the certificate measures them."
    return told.model_copy(update={"evidence": (*told.evidence, said)})


def _headline(material: Material, state: State, question: dict[str, Any] | None) -> Headline:
    found = certificate_of(material)
    if state in ("better", "worse", "unproven") and found:
        return _certified(material, state, found)
    if state == "unchanged" and found:
        return _unchanged(material, found)
    return _unfinished(material, state, question)


def measures(material: Material) -> tuple[Measure, ...]:
    """Both certificates, the headline's first; none where nothing was kept, for then there is no difference."""
    if not _kept(material):
        return ()
    return tuple(
        Measure(
            label="Sealed test" if split == "test" else "Held-out tasks",
            sealed=split == "test",
            baseline=found.baseline,
            final=found.final,
            difference=found.difference,
            low=found.interval[0] if found.interval else None,
            high=found.interval[1] if found.interval else None,
            tasks=found.tasks,
            trials=found.trials,
        )
        for split in ("test", "validation")
        if (found := material.certificates.get(split))  # type: ignore[call-overload]
    )


def caution_of(material: Material) -> str:
    """That the two certificates do not say the same; empty when they do."""
    test, held = material.certificates.get("test"), material.certificates.get("validation")
    if not (test and held and _kept(material) and differ(test, held)):
        return ""
    return (
        f"The sealed tasks say {points(test.difference)} points and the held-out tasks {points(held.difference)}: "
        "the two differ by more than chance, so expect the smaller."
    )


def live_of(material: Material) -> Live | None:
    """What is going on, or went on last; None for a run that shows no sign of life."""
    beat = material.heartbeat
    if beat is None:
        return None
    quiet = ""
    if material.condition == "running" and material.beat_age > QUIET_SECONDS:
        quiet = f" No sign of life for {duration(material.beat_age)}: look whether the model's endpoint answers."
    return Live(text=f"{doing(beat)}, at {clock(beat.at)} UTC.{quiet}", seconds=max(0.0, material.beat_age))


def doing(beat: Heartbeat) -> str:
    """A0032 on C006 hands over after one error, held-out tasks 62 of 200."""
    of = f" {count(beat.done)}{f' of {count(beat.of)}' if beat.of else ''}" if beat.done else ""
    stage = f"{STAGES.get(beat.stage, beat.stage)}{of}" if beat.stage else ""
    about = f"{beat.candidate} on {cut(beat.cluster, 80)}" if beat.candidate else ""
    return ", ".join(part for part in (about, stage) if part) or "getting ready"


STAGES = {
    "cluster_tasks": "its own failures", "regression": "regression suite", "validation": "held-out tasks",
    "control": "the current agent beside it", "promotion": "who joins the suite", "incumbent": "the current agent",
    "null agent": "an agent that does nothing", "traffic": "traffic", "baseline": "baseline",
    "certify on validation": "certifying on held-out tasks", "certify on test": "certifying on sealed tasks",
}  # fmt: skip
"""What rollouts are made for, in words."""


def question_of(question: dict[str, Any] | None) -> Question | None:
    """What a run that waits for approval asks."""
    if not question or "answers" not in question:
        return None
    text = str(question.get("question") or "")
    return Question(
        text=text,
        candidate=text.removeprefix("Keep ").rstrip("?") if text.startswith("Keep ") else "",
        diff=str(question.get("diff") or ""),
        hypothesis=str(question.get("hypothesis") or ""),
        reviewer=str(question.get("judge") or ""),
    )


def _certified(material: Material, state: State, found: Certificate) -> Headline:
    sealed = found.split == "test"
    tasks = "unseen tasks" if sealed else "held-out tasks"
    now, before = _shares(found.final, found.baseline)
    if state == "better":
        title = f"Your agent solves {now} of {tasks}. Before the run it solved {before}."
    elif state == "worse":
        title = f"The changed agent solves {now} of {tasks}; the old one solved {before}. Keep the old one."
    else:
        title = f"The changed agent solves {now} of {tasks}, the old one {before}."
        title += " Chance alone could explain that." if found.interval else " Too few tasks to tell."
    badges = {"better": ("Better", "good"), "worse": ("Worse", "bad")}
    badge, tone = badges.get(state, ("Not proven", "warn"))
    return Headline(
        badge=badge,
        tone=tone,  # type: ignore[arg-type]
        title=title,
        evidence=(_interval(found), _measured(found), *_settle(material, state, found), *_no_test(sealed)),
        caution=caution_of(material),
        measures=measures(material),
        short=f"{now} of {tasks} solved, {before} before",
    )


def _unchanged(material: Material, found: Certificate) -> Headline:
    attempts = len(material.ledger)
    what = "unseen" if found.split == "test" else "held-out"
    title = f"None of {plural(attempts, 'attempt')} passed the gate. Your agent is exactly as it was."
    if not attempts:
        title = "Nothing was tried. Your agent is exactly as it was."
    return Headline(
        badge="No change",
        tone="plain",
        title=title,
        evidence=(f"It solves {percent(found.baseline)} of {what} tasks.", _measured(found)),
        short=f"none of {plural(attempts, 'attempt')} kept; {percent(found.baseline)} of {what} tasks solved",
    )


def _unfinished(material: Material, state: State, question: dict[str, Any] | None) -> Headline:
    batches, batch, attempts = material.settings.batches, material.batch, len(material.ledger)
    most = min(material.settings.max_attempts, batches * material.settings.attempts)
    place = f"batch {batch} of {batches}"
    estimate = _estimate(material)
    if state == "waiting":
        said = question_of(question)
        title = "The run is waiting for you."
        return Headline(
            badge="Waiting", tone="warn", title=title, evidence=((said.text,) if said else ()) + estimate,
            short=said.text if said else title,
        )  # fmt: skip
    if state == "paused":
        message = str((question or {}).get("message") or (material.pauses[-1].message if material.pauses else ""))
        title = "The run paused itself and can go on."
        return Headline(badge="Paused", tone="warn", title=title, evidence=(cut(message, 600), *estimate), short=title)
    if state == "running":
        place = f"{place[0].upper()}{place[1:]}, attempt {min(attempts + 1, most)} of {most}." if batch else "Starting."
        return Headline(badge="Running", tone="plain", title=place, evidence=estimate, short=place.rstrip("."))
    if state == "stopped":
        title = f"The run stopped in {place}. Nothing is lost, and nothing is certified yet."
        return Headline(badge="Stopped", tone="warn", title=title, evidence=estimate, short=f"stopped in {place}")
    if state == "uncertified":
        title = "The run ended without a certificate of the agent that it kept."
        return Headline(
            badge="Not certified", tone="warn", title=title, evidence=estimate, short="nothing is certified"
        )
    title = "The run has not begun."
    return Headline(badge="New", tone="plain", title=title, short=title.rstrip("."))


def _estimate(material: Material) -> tuple[str, ...]:
    """The running estimate, and that it is none to rely on."""
    newest = next((r.after for r in reversed(material.decisions) if not r.subject.canary and r.after), None)
    if newest is None:
        return ()
    low, high = (min(1.0, max(0.0, value)) for value in newest.interval)
    found = material.foretold
    flatters = "by how much is not known"
    if found:
        mean, error = found.optimism.mean, found.optimism.standard_error
        flatters = f"at the end of such a run by {signed(mean).lstrip('+')} ± {error:.1f} points"
    return (
        f"The current agent solves about {percent(newest.mean)} of the held-out tasks ({percent(low)} to "
        f"{percent(high)}). This running estimate is no result: changes are chosen by it, so it is too high, "
        f"{flatters}.",
    )


def _interval(found: Certificate) -> str:
    if found.interval is None:
        return f"{points(found.difference)} points; {plural(found.tasks, 'task')} are too few for an interval."
    low, high = found.interval
    return f"{points(found.difference)} points, and with 95% confidence between {points(low)} and {points(high)}."


def _measured(found: Certificate) -> str:
    trials = f"{plural(found.trials, 'fresh trial')} of each agent on each"
    if found.split == "test":
        return (
            f"Measured on {plural(found.tasks, 'sealed test task')}, {trials}. Nothing else in the run has read these "
            "tasks."
        )
    return f"Measured on {plural(found.tasks, 'held-out task')}, {trials}."


def _no_test(sealed: bool) -> tuple[str, ...]:
    if sealed:
        return ()
    return (
        "The changes were chosen by these tasks, so expect a little less on new ones: there is no certificate on "
        "a sealed test split.",
    )


def _settle(material: Material, state: State, found: Certificate) -> tuple[str, ...]:
    """What it would take to know."""
    if state != "unproven":
        return ()
    tasks, agents = {scores.task_id for scores in found.by_task}, {found.agent, found.baseline_agent}
    own = [r for r in material.results if certifying(r) and r.task_id in tasks and r.agent in agents]
    needed = trials_to_settle(found, own)
    if needed is None:
        return ("More trials of the same tasks would not settle it; more tasks would.",)
    return (f"About {needed} trials of each task would settle a difference of this size (now {found.trials}).",)


def certifying(result: Result) -> bool:
    """Whether a rollout is one of a certification."""
    return CERTIFY_TRIAL <= result.trial < BESIDE_TRIAL


def _shares(final: float, baseline: float) -> tuple[str, str]:
    """Both as percent, with a decimal where they would look alike and are not."""
    now, before = percent(final), percent(baseline)
    return (now, before) if now != before or final == baseline else (percent(final, 1), percent(baseline, 1))


def _kept(material: Material) -> int:
    return sum(entry.outcome == "kept" for entry in material.ledger)
