"""The places where a remedy can stand, and how it is put there: rule, example, tool note, check, context note."""

from __future__ import annotations

from typing import Literal

from sigmaloop.simulation.specialists.wording.choices import Draw, pick, spell
from sigmaloop.simulation.specialists.wording.fault import Fault, Moment
from sigmaloop.simulation.specialists.wording.sentences import Emphasis, filled, sentence, tidy

Form = Literal["rule", "example", "tool_note", "check", "context_note"]
FORMS: tuple[Form, ...] = ("rule", "example", "tool_note", "check", "context_note")

_OPENINGS = ("", "", "", "", "Important: ", "From now on: ", "Please note: ", "Rule: ")
_NOTES: dict[Moment, tuple[str, ...]] = {
    "before": (
        "Before [calling this|you call this tool|this call], {do}.",
        "Do not call this [before you have done the following|unprepared]: {do}; {why}.",
        "[Preparation|What comes first]: {do}. Do not {avoid}.",
        "[Call this|Use this] with care: {when}, {do}.",
    ),
    "during": (
        "In [this call|calls of this tool], {do}.",
        "Using this tool, do not {avoid}; {do}.",
        "Correct use: {do}. Wrong use: {avoiding}.",
        "{when}, {do}; {limit}.",
    ),
    "after": (
        "[Once this has succeeded|After this call|When this has come back], {do}.",
        "The call alone is [only half of the work|not enough]: {when}, {do}.",
        "After this call, do not {avoid}; {do}.",
        "[Follow-up|Afterwards]: {do}, since {why}.",
    ),
    "any": (
        "{when}, {do}.",
        "{when}, do not {avoid}; {do}.",
        "[Keep in mind|Note]: {when}, {do}, since {why}.",
        "{when}, {do} instead of {avoiding}.",
    ),
}
_OBJECTIONS: dict[Moment, tuple[str, ...]] = {
    "before": (
        "[Not yet|Too early]. {when}, {do}.",
        "This call was held back: {do}, [then|and only then] call again.",
        "[Stop|Wait]: do not {avoid}. {do}.",
        "[Held back by a check|First things first]: {do}, because {why}. Call again after that.",
    ),
    "during": (
        "[Look at the arguments again|Check this call once more]: {do}.",
        "This call was held back. {when}, do not {avoid}; {do}.",
        "[Stop|Wait]: {when}, {do} instead of {avoiding}. Then call again.",
        "If this call is as it should be, repeat it. {when}, {do}.",
    ),
    "after": (
        "Before this goes through, [know what follows|mind what comes after it]: {when}, {do}.",
        "[Held back once|Not made yet]. Call again, and afterwards: {do}.",
        "Repeat this call, and once it has succeeded, {do}; {why}.",
        "A word before this call: {when}, do not {avoid}. {do}.",
    ),
    "any": (
        "[Stop|Wait]: {when}, {do}.",
        "[Held back once|Not made yet]: {when}, do not {avoid}; {do}.",
        "Are you sure? {when}, {do}. If this call fits that, make it again.",
        "This call was held back, because {why}. {when}, {do}.",
    ),
}
_CONTEXT = (
    "[Note on the policy above|For this conversation|While you work|In short]: {rule}",
    "[A note|Standing note]: {rule}",
    "[One point of the above deserves attention|To the above one thing is added]. {rule}",
    "{rule}",
)
_CASES = (
    "Example\nCustomer: {says}\nAgent: {right}\n({rule})",
    "{rule} For instance:\nCustomer: {says}\nAgent: {right}",
    "Customer: {says}\nBad agent: {wrong}\nGood agent: {right}\nLesson: {rule}",
    "A worked case\nCustomer: {says}\nAgent: {right}\nWhy this is right: {rule}",
    "Situation: {situation}.\nCustomer: {says}\nAgent: {right}\nWhat to learn from it: {rule}",
    "Not so:\nCustomer: {says}\nAgent: {wrong}\nBut so:\nAgent: {right}\n{rule}",
    "Example of a good answer\nCustomer: {says}\nAgent: {right}",
)


def worded(fault: Fault, form: Form, draw: Draw, emphases: tuple[Emphasis, ...] = ()) -> str:
    """A specific remedy in its form; without the fault's name."""
    if form == "tool_note":
        return _pointed(_NOTES[fault.moment], fault, draw, emphases)
    if form == "check":
        return _pointed(_OBJECTIONS[fault.moment], fault, draw, emphases)
    return placed(sentence(fault, draw, emphases), form, draw, fault)


def _pointed(patterns: tuple[str, ...], fault: Fault, draw: Draw, emphases: tuple[Emphasis, ...]) -> str:
    """A text that speaks of the call at hand; now and then a plain rule."""
    if draw("plain") < 0.25 or emphases:
        plain = sentence(fault, draw, emphases)
        return f"Held back once. {plain}" if patterns in _OBJECTIONS.values() else plain
    return filled(pick(patterns, draw, "pattern"), fault, draw)


def placed(rule: str, form: Form, draw: Draw, fault: Fault | None = None) -> str:
    """Any rule, good or bad, as it would stand in a place of this kind."""
    if form == "rule":
        return _after(pick(_OPENINGS, draw, "opening"), rule)
    if form == "context_note":
        return tidy(_framed(pick(_CONTEXT, draw, "frame"), rule, draw))
    if form == "example":
        return _case(rule, fault, draw)
    return _after("Held back once: " if form == "check" else "", rule)


def _framed(frame: str, rule: str, draw: Draw) -> str:
    """A frame around a rule that has no clauses."""
    return spell(frame, draw, "frame word").replace("{rule}", rule)


def _case(rule: str, fault: Fault | None, draw: Draw) -> str:
    if fault is None:
        return f"Example\nCustomer: asks for help.\nAgent (to itself): {rule}"
    return pick(_CASES, draw, "case").format(
        rule=rule,
        says=fault.says,
        right=pick(fault.right, draw, "right"),
        wrong=fault.wrong,
        situation=fault.subject,
    )


def _after(opening: str, rule: str) -> str:
    return f"{opening}{rule[0].lower()}{rule[1:]}" if opening else rule
