"""The clusterer: files all new causes of a batch in one call, and says what each cluster's failures have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from sigmaloop.agents.answers import Words
from sigmaloop.agents.filing import Filing, KnownCluster, NamedDiagnosis, NewCause, Place
from sigmaloop.agents.model_access import ModelAccess
from sigmaloop.agents.prompt import SETTING_LIMIT, quoted, render
from sigmaloop.agents.specialist import decide
from sigmaloop.agents.trace_text import trace_text
from sigmaloop.clean_text import clean_line
from sigmaloop.records import Diagnosis, Step

NEW = "new"
_TEXT, _CAUSE, _CLUSTER, _PASSING = 500, 1_500, 1_800, 6_000
"""Most characters of a field that is kept, and of what is shown of a cause, a cluster and a passing trace."""


def _items(value: object) -> object:
    """A single one where a list was asked for, or none at all."""
    return [] if value is None else [value] if isinstance(value, dict) else value


class Filed(BaseModel):
    """Where one cause goes."""

    cause: Words = Field(description="the label of the cause, such as N1")
    cluster: Words = Field(description='an id exactly as listed, the label of another new cause, or "new"')
    title: str = Field(default="", description="for a new cluster: two to eight words naming the cause")


class Diagnosed(BaseModel):
    """What a cluster's failures have in common."""

    cluster: Words = Field(description="its id, or the label of the cause that founds it")
    common_cause: Words
    where: str = ""
    missing_instruction: str = ""
    counter_examples: str = ""


class FiledCauses(BaseModel):
    """Hand in where each cause belongs, and the diagnoses."""

    places: Annotated[list[Filed], BeforeValidator(_items)] = Field(default_factory=list)
    diagnoses: Annotated[list[Diagnosed], BeforeValidator(_items)] = Field(default_factory=list)


class Clusterer:
    """Files the causes of a batch by root cause."""

    def __init__(self, models: ModelAccess, *, setting: str) -> None:
        self._models = models
        self._setting = quoted(setting, SETTING_LIMIT)

    def file(
        self,
        causes: Sequence[NewCause],
        clusters: Sequence[KnownCluster],
        *,
        passing: Mapping[str, Sequence[Step]] | None = None,
        batch: int,
        scope: str,
    ) -> Filing:
        """Where the causes without a cluster go, and what the clusters that grow have in common.

        `passing`: rollouts that went well, by request type. Raises SpecialistError when no usable answer came; a
        cause that the answer does not place, or places nowhere known, is left out of it.
        """
        asked = {cause.label for cause in causes if cause.cluster_id is None}
        known = {one.cluster.id for one in clusters}
        prompt = render(
            "clusterer",
            setting=self._setting,
            causes="\n".join(quoted(_cause(cause), _CAUSE) for cause in causes),
            clusters="\n".join(quoted(_cluster(one), _CLUSTER) for one in clusters) or "none yet",
            passing="\n".join(
                quoted(f"== {kind}\n{trace_text(trace, limit=_PASSING)}", _PASSING + 500)
                for kind, trace in (passing or {}).items()
            )
            or "none",
        )

        def everything_placed(filed: FiledCauses) -> None:
            faults = [
                f"cluster {place.cluster!r} of {place.cause} is neither listed nor a label"
                for place in filed.places
                if not _meant(place.cluster, known, asked)
            ]
            left = sorted(asked - {place.cause.strip() for place in filed.places}, key=_number)
            if left:
                faults.append(f"no place is given for {', '.join(left)}")
            if faults:
                raise ValueError("; ".join(faults))

        filed = decide(
            self._models,
            "clusterer",
            prompt,
            FiledCauses,
            scope=scope,
            about={"batch": batch, "causes": len(causes)},
            wish=everything_placed,
        )
        places = _places(filed.places, asked, known)
        named = known | {cause.label for cause in causes}
        diagnoses = {d.cluster.strip(): d for d in filed.diagnoses if d.cluster.strip() in named}
        return Filing(
            places=tuple(places),
            diagnoses=tuple(NamedDiagnosis(cluster=name, diagnosis=_diagnosis(d)) for name, d in diagnoses.items()),
        )


def _places(filed: Sequence[Filed], asked: set[str], known: set[str]) -> list[Place]:
    """The first usable word on each cause that was asked about; chains of labels lead to the one that founds."""
    said: dict[str, Filed] = {}
    for one in filed:
        if one.cause.strip() in asked and _meant(one.cluster, known, asked):
            said.setdefault(one.cause.strip(), one)
    places = []
    for label in sorted(said, key=_number):
        at, seen = label, {label}
        while (goes := said[at].cluster.strip()) in said and goes not in seen:
            at = goes
            seen.add(at)
        goes = said[at].cluster.strip()
        if goes in known:
            places.append(Place(label=label, cluster_id=goes))
        else:
            founder = min(seen, key=_number) if goes in seen and goes != at else at
            places.append(Place(label=label, founder=founder, title=clean_line(said[founder].title)[:80].strip()))
    return places


def _meant(cluster: str, known: set[str], labels: set[str]) -> bool:
    name = cluster.strip()
    return name in known or name in labels or name.lower() == NEW


def _number(label: str) -> int:
    digits = label.removeprefix("N")
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def _diagnosis(said: Diagnosed) -> Diagnosis:
    fields: dict[str, Any] = {name: clean_line(getattr(said, name))[:_TEXT] for name in Diagnosis.model_fields}
    return Diagnosis(**fields)


def _cause(cause: NewCause) -> str:
    first = cause.first
    where = f"belongs to {cause.cluster_id}, the same words" if cause.cluster_id else "where?"
    quotes = "; ".join(dict.fromkeys(e.quote for f in cause.failures for e in f.evidence))
    return (
        f"- {cause.label} ({len(cause.failures)} failures; {first.request_type}) {where}\n"
        f"  mechanism: {first.mechanism}\n  what failed: {first.what_failed}\n"
        f"  root cause: {first.root_cause}\n  should have: {first.should_have}\n"
        f"  instruction: {first.instruction}\n  evidence: {quotes[:400] or 'none'}"
    )


def _cluster(known: KnownCluster) -> str:
    cluster = known.cluster
    tags = list(dict.fromkeys(f.mechanism for f in cluster.failures))[:4]
    remedy = cluster.failures[0].should_have if cluster.failures else ""
    diagnosis = cluster.diagnosis
    lines = [
        f"- {cluster.id} ({cluster.size} failures; {known.state}): {cluster.title}",
        f"  mechanisms: {'; '.join(tags)}",
        f"  root cause: {diagnosis.common_cause if diagnosis else cluster.root_cause}",
        f"  should have: {(diagnosis.missing_instruction if diagnosis else '') or remedy}",
        *(f"  failed attempt: {text}" for text in known.failed),
    ]
    return "\n".join(lines)
