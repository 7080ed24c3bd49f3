"""Why conversations of other programs failed: a run's miner and clusterer without a run. Nothing is stored."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

from sigmaloop.agents.clusterer import Clusterer
from sigmaloop.agents.failure_miner import FailureMiner, Known
from sigmaloop.agents.filing import Filing, KnownCluster
from sigmaloop.errors import BadInput, SpecialistError
from sigmaloop.graph.filing import causes_of, home_of, title_of
from sigmaloop.graph.model_access import GatewayAccess
from sigmaloop.graph.prepare import probed
from sigmaloop.graph.services import make_gateway
from sigmaloop.memory.embedder import HashEmbedder
from sigmaloop.memory.similarity import Vectors, nearest_clusters
from sigmaloop.records import Cluster, FailureRecord, Rollout, RolloutKey, Task, Usage, agent_hash, digest
from sigmaloop.settings import Settings
from sigmaloop.traces.failure_report import Counts, FailureReport, Source
from sigmaloop.traces.imported import Conversation, Format, Problem
from sigmaloop.traces.reading import read_conversations

SETTING = "An agent talks with users and calls tools on their behalf."
"""What the specialists are told of the world of the conversations, unless somebody says more."""
FILED_AT_ONCE = 20
"""Failures that one call of the clusterer files."""
T = TypeVar("T")


def mine_traces(
    settings: Settings,
    paths: Sequence[Path],
    *,
    format: Format | None = None,  # noqa: A002 - the word for it
    pass_at: float = 1.0,
    unlabelled: bool = False,
    limit: int | None = None,
    setting: str = SETTING,
    on_mined: Callable[[FailureRecord], None] = lambda _failure: None,
) -> FailureReport:
    """Explain and group the failed conversations of files; with `unlabelled`, those without an outcome as well.

    `limit`: the first so many of them. Raises BadInput for files that hold none, ModelUnavailable.
    """
    reading = _Reading(paths, form=format, pass_at=pass_at, unlabelled=unlabelled, limit=limit)
    failures: list[FailureRecord] = []
    sources: dict[str, Source] = {}
    settings = probed(settings, "failure_miner", "clusterer")
    with _model_access(settings) as (access, spent), ThreadPoolExecutor(settings.concurrency) as threads:
        miner, clusterer = FailureMiner(access, setting=setting), Clusterer(access, setting=setting)
        for some in _some_at_a_time(reading.chosen(), settings.concurrency):
            for conversation, found in zip(some, threads.map(lambda c: explain(miner, c), some), strict=True):
                failures += found
                for failure in found:
                    sources[failure.rollout_id] = _source(conversation)
                    on_mined(failure)
        if not failures:
            raise BadInput(reading.nothing())
        clusters = group(clusterer, failures)
        return FailureReport(
            files=tuple(str(path) for path in paths),
            counts=reading.counts.model_copy(update={"mined": len(sources)}),
            clusters=tuple(sorted(clusters, key=lambda c: (-c.priority(0), c.id))),
            sources=sources,
            problems=tuple(reading.problems),
            model=settings.models()[1],
            simulated=settings.simulated,
            usage=spent(),
        )


def explain(miner: FailureMiner, conversation: Conversation) -> list[FailureRecord]:
    """Why a conversation failed."""
    about = (conversation.file, conversation.line, conversation.id)
    rollout = Rollout(
        key=RolloutKey(agent=agent_hash(conversation.instructions), task_id=digest(*about), trial=conversation.trial),
        seed=0,
        status="ok",
        reward=0.0,
        detail=conversation.detail,
    )
    task = Task(
        id=conversation.task or conversation.id, split="train", request_type=conversation.request_type or "unknown"
    )
    known = Known(instructions=conversation.instructions)
    return list(miner.mine(rollout=rollout, trace=conversation.steps, task=task, batch=0, known=known))


def group(clusterer: Clusterer, failures: Sequence[FailureRecord]) -> list[Cluster]:
    """The failures by root cause, so many in one call; by similarity where no answer comes."""
    clusters: dict[str, Cluster] = {}
    embed = _Remembering()
    for number, some in enumerate(_some_at_a_time(failures, FILED_AT_ONCE), 1):
        causes = causes_of(some, clusters)
        shown = {c.id: c for cause in causes for c in nearest_clusters(cause.first, clusters, embed)}
        known = [KnownCluster(cluster=cluster, state="open") for cluster in shown.values()]
        try:
            filing = clusterer.file(causes, known, batch=number, scope=f"mine:{number}")
        except SpecialistError:
            filing = Filing(places=())
        placed = {place.label: place for place in filing.places}
        before = dict(clusters)
        homes = {cause.label: home_of(cause, placed.get(cause.label), before, embed) for cause in causes}
        founded: dict[str, str] = {}
        for cause in causes:
            home = homes[cause.label]
            cluster_id = home.cluster_id or founded.get(home.founder)
            if cluster_id is None:
                cluster_id = founded[home.founder] = f"C{len(clusters) + 1:03d}"
                first = next(one.first for one in causes if one.label == home.founder)
                title = title_of(causes, homes, home.founder)
                clusters[cluster_id] = Cluster(
                    id=cluster_id, title=title, root_cause=first.root_cause, created_batch=0, failures=cause.failures
                )
            else:
                grown = (*clusters[cluster_id].failures, *cause.failures)
                clusters[cluster_id] = clusters[cluster_id].model_copy(update={"failures": grown})
    return list(clusters.values())


class _Reading:
    """Goes through files and counts what is in them."""

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        form: Format | None,
        pass_at: float,
        unlabelled: bool,
        limit: int | None,
    ) -> None:
        self._paths, self._form, self._pass_at = paths, form, pass_at
        self._unlabelled, self._limit = unlabelled, limit
        self.counts = Counts()
        self.problems: list[Problem] = []

    def chosen(self) -> Iterator[Conversation]:
        """The conversations to mine; the others are counted as they go by."""
        wanted = {"failed", "unknown"} if self._unlabelled else {"failed"}
        given = 0
        for path in self._paths:
            for found in read_conversations(path, format=self._form, pass_at=self._pass_at):
                if isinstance(found, Problem):
                    self.problems.append(found)
                    continue
                told = {"conversations": self.counts.conversations + 1}
                told[found.outcome] = getattr(self.counts, found.outcome) + 1
                self.counts = self.counts.model_copy(update=told)
                if found.outcome in wanted and (self._limit is None or given < self._limit):
                    given += 1
                    yield found

    def nothing(self) -> str:
        """Why there was nothing to mine, and what to do."""
        counts, first = self.counts, f"; the first problem: {self.problems[0]}" if self.problems else ""
        if counts.unknown and not self._unlabelled:
            return (
                f"none of {counts.conversations} conversations is known to have failed, and {counts.unknown} have no "
                f"outcome: add one to the file, or mine those too with --unlabelled{first}"
            )
        if counts.conversations:
            return (
                f"none of {counts.conversations} conversations failed (they pass from --pass-at {self._pass_at:g} on)"
            )
        return f"no conversation in {', '.join(map(str, self._paths))}{first}"


class _Remembering:
    """An embedder that makes each vector once."""

    def __init__(self) -> None:
        self._embedder = HashEmbedder()
        self._known: dict[str, Vectors] = {}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        self._known.update(zip(new, self._embedder.embed(new), strict=True) if new else ())
        return np.stack([self._known[text] for text in texts])


@contextmanager
def _model_access(settings: Settings) -> Iterator[tuple[GatewayAccess, Callable[[], Usage]]]:
    """A gateway for specialists alone, and what they have spent."""
    gateway = make_gateway(settings, journal=None)
    lock, sums = threading.Lock(), [Usage()]

    def charge(_scope: str, _role: str, usage: Usage) -> None:
        with lock:
            sums[0] += usage

    timeout = settings.model_timeout * settings.model_tries + 60
    try:
        yield (
            GatewayAccess(gateway, model=settings.models()[1], seed=settings.seed, timeout=timeout, charge=charge),
            lambda: sums[0],
        )
    finally:
        gateway.stop()


def _some_at_a_time(items: Iterable[T], count: int) -> Iterator[list[T]]:
    found = iter(items)
    while some := list(islice(found, count)):
        yield some


def _source(conversation: Conversation) -> Source:
    return Source(conversation=conversation.id, file=conversation.file, line=conversation.line, task=conversation.task)
