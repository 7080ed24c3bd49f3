"""Why to trust a result, and why not: the cautions first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sigmaloop.memory.facts import ModelAnswered, TestOpened, facts_in
from sigmaloop.report.headline import BANNER, certificate_of, certifying
from sigmaloop.report.known_changes import KnownChange, canary_sentence, suspicious
from sigmaloop.report.material import Material
from sigmaloop.report.record import Check, State
from sigmaloop.report.words import plural, points

_ORDER = {"bad": 0, "caution": 1, "fine": 2}


def checks_of(material: Material, state: State, known: Sequence[KnownChange], caution: str) -> tuple[Check, ...]:
    """All that speaks for or against the result, the worst first."""
    found = [
        _simulated(material),
        _sealed(material),
        _agreement(material, caution),
        _known(material, known),
        _coverage(material),
        _sandbox(material),
        _models(material),
        _chain(material),
    ]
    return tuple(sorted((check for check in found if check), key=lambda check: _ORDER[check.mark]))


def _simulated(material: Material) -> Check | None:
    if not material.simulated:
        return None
    return Check(mark="caution", title="Simulated model", text=BANNER)


def _sealed(material: Material) -> Check | None:
    opened = next(iter(facts_in(material.events, TestOpened)), None)
    if opened and "test" in material.certificates:
        text = "The sealed test tasks were opened once, for these two agents, after the last change was kept."
        return Check(mark="fine", title="Sealed test opened once", text=text)
    if opened:
        text = (
            "The sealed test was opened for another agent of this run before, so it cannot certify this one: choosing "
            "between two results would be no test. A new run has a fresh seal."
        )
        return Check(mark="caution", title="Sealed test spent", text=text)
    if certificate_of(material):
        text = "The certificate rests on tasks that the changes were chosen by, so it flatters a little."
        return Check(mark="caution", title="No sealed test", text=text)
    return None


def _agreement(material: Material, caution: str) -> Check | None:
    test, held = material.certificates.get("test"), material.certificates.get("validation")
    if not (test and held) or test.difference == held.difference == 0:
        return None
    if caution:
        return Check(mark="caution", title="Test against held-out", text=caution)
    both = f"Sealed test {points(test.difference)}, held-out {points(held.difference)}"
    text = f"{both}: no more apart than chance explains."
    return Check(mark="fine", title="Test against held-out", text=text)


def _known(material: Material, known: Sequence[KnownChange]) -> Check | None:
    expected = material.foretold.copies_kept if material.foretold else None
    sentence = canary_sentence(known, expected)
    if not sentence:
        return None
    doubt = suspicious(known, expected)
    return Check(
        mark="caution" if doubt else "fine",
        title="Known changes",
        text=f"{sentence[0].upper()}{sentence[1:]}{f' Take care: {doubt}.' if doubt else ''}",
    )


def _coverage(material: Material) -> Check | None:
    faults = sum(result.reward is None for result in material.results)
    if not material.results:
        return None
    own = [result for result in material.results if certifying(result)]
    lost = sum(result.reward is None for result in own)
    share = f"{plural(faults, 'rollout')} of {len(material.results):,} met an infrastructure fault"
    if own:
        share += f", {lost} of them in certification"
    many = 50 * faults > len(material.results) or 50 * lost > max(1, len(own))
    mark: Literal["caution", "fine"] = "caution" if many else "fine"
    return Check(mark=mark, title="Coverage", text=f"{share}. Faults are no failures of the agent and are left out.")


def _sandbox(material: Material) -> Check:
    tier = material.started.tier
    if tier == "none":
        text = "Changed agents ran unprotected on this machine."
        return Check(mark="bad", title="No sandbox", text=text)
    return Check(mark="fine", title="Sandbox", text=f"Every changed agent ran in the {tier} sandbox.")


def _models(material: Material) -> Check:
    answered = facts_in(material.events, ModelAnswered)
    changed = [fact.name for fact in answered if not fact.first]
    names = ", ".join(dict.fromkeys(fact.name for fact in answered)) or ", ".join(material.started.models)
    if changed:
        text = f"The endpoint changed the model during the run ({names}): before and after are not quite comparable."
        return Check(mark="caution", title="Models", text=text)
    return Check(mark="fine", title="Models", text=f"{names} answered throughout; the model was never changed.")


def _chain(material: Material) -> Check:
    gate = next((a.candidate_id for a in material.ledger), "")
    how = f" `sigmaloop gate explain {gate} --run {material.paths.run_id[:8]}` recomputes a decision." if gate else ""
    text = f"Every event and rollout is chained by hashes; the head is {material.head[:16]}.{how}"
    return Check(mark="fine", title="Journal", text=text)
