"""Remedies as they go wrong: vague, far too broad, tied to one case, or serving two faults at once."""

from __future__ import annotations

import re

from sigmaloop.simulation.specialists.wording.choices import Draw, pick, relabelled, spell
from sigmaloop.simulation.specialists.wording.fault import Excess, Fault
from sigmaloop.simulation.specialists.wording.sentences import clauses, tidy

_VAGUE = (
    "[be|stay] [careful|attentive|thorough][, whatever the customer wants|]",
    "[do|give] your best [work|for every customer]",
    "[double-check|look twice at] [your work|everything]",
    "[think|reflect] before you act",
    "[make sure|see to it] that [everything is right|nothing goes wrong]",
    "[pay|give] [more|close] attention to {subject}",
    "[be|stay] careful with {subject}",
    "[try to avoid|watch out for] mistakes [with|in matters of] {subject}",
    "[handle|treat] {subject} [with care|properly|in the right way]",
    "[keep the policy in mind|remember the policy] [with|when it comes to] {subject}",
)
_BROAD: dict[Excess, tuple[str, ...]] = {
    "transfer": (
        "[whenever|if] [anything|something] is [unclear|difficult|unusual], transfer [to a human|the customer to a "
        "person]",
        "[leave|hand] [all|any] cases [of doubt|that are not routine] to a human [agent|colleague]",
    ),
    "confirm": (
        "[confirm|get confirmation of] every [single step|step], look-ups included, [with the customer|from the "
        "customer] "
        "several times",
        "ask the customer to confirm [each|every] [message|call] [twice|two or three times]",
    ),
    "terse": (
        "[answer|reply] in [one short sentence|as few words as possible] and [leave out|give no] details",
        "keep [all|your] messages [extremely short|to a single sentence], without [figures or details|explanations]",
    ),
    "comply": (
        "[do|grant] whatever the customer [asks for|wants], [so that they are satisfied|without exception]",
        "[never|do not] say no to a customer",
    ),
    "retry": (
        "[repeat|retry] every call until it works, [however long that takes|as often as needed]",
        "[keep|go on] trying [any|a] tool [over and over|again and again] until it [succeeds|gives the result you "
        "want]",
    ),
    "refuse": (
        "[refuse|decline] [every|any] request that the policy does not [expressly|explicitly] allow",
        "[when|if] in [the slightest|any] doubt, [say no|refuse the request]",
    ),
    "no_money": (
        "never refund [anything|money], [under any circumstances|whatever happens]",
        "[make|give] no refunds, credits or vouchers [at all|to anybody]",
    ),
    "ask_which": (
        "always ask the customer which order, reservation or line is meant, [even if there is only one|every time]",
        "[before each|ahead of every] step, ask [which|about which] item, order or line [is meant|it is]",
    ),
}
_HEDGES = (
    "[try to|if possible,|where it fits,|as far as you can,]",
    "[when it seems useful,|in such cases,|normally,]",
)
_BLURRED = (
    "With {a} and {b}: {hedge} {do_a}, and [perhaps|also|likewise] {do_b}.",
    "[Mind|Take care of] {a} as well as {b}; {hedge} {do_a}.",
    "{a} and {b} [need|ask for] [attention|more care]: {hedge} {do_b}.",
    "In [matters|questions] of {a} or {b}, {hedge} {do_a} or {do_b}.",
    "[Be careful|Take your time] with {b} and {a}, and {hedge} {do_b}.",
)


def vague(subject: str, draw: Draw) -> str:
    """Well meant, but no help: it may name a subject, never what to do."""
    return tidy(spell(pick(_VAGUE, draw, "vague"), draw, "vague word").replace("{subject}", subject) + ".")


def broad(kinds: tuple[Excess, ...], draw: Draw) -> str:
    """A rule that goes much too far; mostly of the kinds that suit the fault."""
    kind = pick(kinds, draw, "excess") if kinds and draw("suits") < 0.8 else pick(tuple(_BROAD), draw, "any excess")
    return tidy(spell(pick(_BROAD[kind], draw, "broad"), draw, "broad word") + ".")


def blurred(first: Fault, second: Fault, draw: Draw) -> str:
    """One sentence for two faults that says neither clearly: no situation, hedged, half of it left out."""
    parts = {
        "a": first.subject,
        "b": second.subject,
        "do_a": _short(clauses(first, relabelled(draw, "a")).do),
        "do_b": _short(clauses(second, relabelled(draw, "b")).do),
        "hedge": spell(pick(_HEDGES, draw, "hedge"), draw, "hedge word"),
    }
    return tidy(spell(pick(_BLURRED, draw, "blurred"), draw, "blurred word").format(**parts))


def _short(clause: str) -> str:
    """The first part of a clause."""
    return re.split(r"[;:,]| and ", clause)[0]


def tied(rule: str, seen: str, draw: Draw) -> str:
    """A rule that holds for one case only: an id, a name or an amount from what was seen."""
    lower = rule[0].lower() + rule[1:]
    ids = re.findall(r"\b[a-z]{2}_\w*\d\w*|[\w.]+@[\w.]+\.\w+|\b[A-Z]\d{3,}\b", seen)
    if ids:
        case = pick(list(dict.fromkeys(ids)), draw, "case")
        return spell(f"[For|In the case of|With] {case}: ", draw, "tie") + f" {lower}"
    names = re.findall(r"\bI(?:'m| am) ([A-Z][a-z]+ [A-Z][a-z]+)|\bname is ([A-Z][a-z]+ [A-Z][a-z]+)", seen)
    amounts = re.findall(r"\$ ?\d+(?:\.\d+)?", seen)
    who = next((a or b for a, b in names), "") or (f"who mentions {amounts[0]}" if amounts else "of this case")
    return spell(f"For the customer {who} [only|alone]: ", draw, "tie") + f" {lower}"
