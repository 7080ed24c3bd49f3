"""The clusterer: decides which open cluster shares a failure's root cause, or that none does."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from sigmaloop.agents.answers import Words
from sigmaloop.agents.model_access import ModelAccess
from sigmaloop.agents.prompt import SETTING_LIMIT, quoted, render
from sigmaloop.agents.specialist import decide
from sigmaloop.records import Cluster, ClusterChoice, FailureRecord

NEW = "new"


class Choice(BaseModel):
    """Hand in the decision."""

    cluster_id: Words = Field(description='an id exactly as listed, or "new"')
    title: str = Field(default="", description="for a new cluster: two to eight words naming the cause")
    reason: str = Field(default="", description="one sentence")


class Clusterer:
    """Assigns failures to clusters by root cause, one at a time."""

    def __init__(self, models: ModelAccess, *, setting: str) -> None:
        self._models = models
        self._setting = quoted(setting, SETTING_LIMIT)

    def choose(self, *, failure: FailureRecord, clusters: Sequence[Cluster]) -> ClusterChoice:
        """The cluster of a failure among those shown, in the order given (most similar first).

        Raises SpecialistError when no usable decision came; the caller has a fallback by similarity.
        Nothing is asked when there is nothing to choose from.
        """
        if not clusters:
            return ClusterChoice(cluster_id=None, title=failure.mechanism, reason="the first cluster")
        shown = {cluster.id for cluster in clusters}
        prompt = render(
            "clusterer",
            setting=self._setting,
            failure=quoted(_failure(failure), 4_000),
            clusters="\n".join(quoted(_cluster(cluster), 1_200) for cluster in clusters),
        )

        def among_shown(choice: Choice) -> None:
            chosen_id = choice.cluster_id.strip()
            if chosen_id not in shown and chosen_id.lower() != NEW:
                raise ValueError(f'cluster_id {chosen_id!r} is not in the list; take a listed id or "{NEW}"')

        scope = f"cluster:{failure.id}"
        about = {"failure_id": failure.id, "batch": failure.batch}
        choice = decide(self._models, "clusterer", prompt, Choice, scope=scope, about=about, check=among_shown)
        new = choice.cluster_id.strip().lower() == NEW
        return ClusterChoice(
            cluster_id=None if new else choice.cluster_id.strip(),
            title=(" ".join(choice.title.split())[:80].strip() or failure.mechanism) if new else "",
            reason=" ".join(choice.reason.split())[:400],
        )


def _failure(failure: FailureRecord) -> str:
    return (
        f"mechanism: {failure.mechanism}\nwhat failed: {failure.what_failed}\n"
        f"root cause: {failure.root_cause}\nshould have: {failure.should_have}"
    )


def _cluster(cluster: Cluster) -> str:
    tags = list(dict.fromkeys(f.mechanism for f in cluster.failures))[:4]
    remedy = cluster.failures[0].should_have if cluster.failures else ""
    return (
        f"- {cluster.id} ({cluster.size} failures): {cluster.title}\n  mechanisms: {'; '.join(tags)}\n"
        f"  root cause: {cluster.root_cause}\n  should have: {remedy}"
    )
