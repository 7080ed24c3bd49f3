"""Where the search of a run stands: folded from its facts, and moved on by writing the next one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import count

from sigmaloop.gate.finding import Finding
from sigmaloop.graph.search_facts import (
    CandidateChosen,
    CandidateJudged,
    DraftsWritten,
    GroupsScreened,
    Layer,
    PartsTested,
    RoundOpened,
    SearchFact,
    SlotsAsked,
    chain,
)
from sigmaloop.graph.services import Services
from sigmaloop.records import Cluster, LedgerEntry, RolloutKey, Task
from sigmaloop.search import rounds
from sigmaloop.search.strategies.make import make_strategy
from sigmaloop.search.strategy import SearchRules, Strategy
from sigmaloop.search.words import Budget, Field, Level, Nothing, OpenCluster, Slot, TrainingTask


def searching(services: Services) -> bool:
    """Whether drafts are screened before they go to the gates; the plain loop does without."""
    return services.settings.strategy != "single"


def rules_for(services: Services) -> SearchRules:
    """As the settings say; what the gate does with targets, screening does."""
    return SearchRules(
        strategy=services.settings.strategy,
        targets=services.settings.cluster_tasks,
        target_trials=services.settings.cluster_trials,
        target_floor=services.settings.cluster_floor,
    )


class Search:
    """The search up to one of its facts. Writing a fact that is there already changes nothing."""

    def __init__(self, services: Services, head: str) -> None:
        """`head`: id of the newest fact; empty before the first round. Raises KeyError for an unknown one."""
        self._services = services
        self.rules = rules_for(services)
        self.strategy: Strategy = make_strategy(self.rules)
        self.head = ""
        self.field = _empty_field(services, self.rules)
        self.base = ""
        """Commit that this round's drafts are written on."""
        self.layers: tuple[Layer, ...] = ()
        """What was kept, oldest first."""
        self.asked: tuple[Slot, ...] = ()
        """What the engineer is being asked for now."""
        self.newest: SearchFact | None = None
        for fact in chain(services.journal, head):
            self._fold(fact)

    def write(self, fact: SearchFact) -> None:
        """The next step."""
        fact = fact.model_copy(update={"after": self.head})
        self._services.journal.write(fact)
        self._fold(fact)

    @property
    def batch(self) -> int:
        return self.field.batch

    def _fold(self, fact: SearchFact) -> None:
        self.head, self.newest = fact.id, fact
        if not isinstance(fact, SlotsAsked):
            self.asked = ()
        match fact:
            case RoundOpened():
                self.base = fact.incumbent
                self.field = _opened(self._services, self.field, fact)
            case SlotsAsked():
                self.asked = fact.slots
            case DraftsWritten():
                self.field = rounds.wrote(self.field, fact.drafts)
            case GroupsScreened():
                keys = [RolloutKey(agent=fact.incumbent, task_id=t, trial=k) for t, k in fact.banked]
                own = [found for key in keys if (found := self._services.journal.rollout(key)) is not None]
                self.field = rounds.screened(rounds.banked(self.field, own), fact.screenings)
                self._paid(fact.rollouts)
            case CandidateChosen():
                self.field = rounds.left_out(rounds.chose(self.field, fact.candidate), fact.conflicts)
            case CandidateJudged():
                self._judged(fact)
            case PartsTested():
                self.field = rounds.tested(self.field, fact.effects, rollouts=fact.rollouts)
                self._paid(fact.rollouts)

    def _judged(self, fact: CandidateJudged) -> None:
        group = rounds.pending_of(self.field).group
        finding = Finding(gate="validation", outcome=fact.outcome, reason=fact.reason, message=fact.reason)
        self.field = self.strategy.after(self.field, finding)
        if fact.outcome == "passed" and group.drafts:
            self.layers = (*self.layers, Layer(self.base, group.drafts))
        self._paid(fact.rollouts)

    def _paid(self, rollouts: int) -> None:
        self.field = self.field.model_copy(update={"budget": self.field.budget.paid(rollouts=rollouts)})


def open_round(services: Services, head: str, *, incumbent: str, batch: int, diversify: bool) -> Search | None:
    """A new round at the open clusters, with what is to be drafted first; None, and nothing written, when there is
    nothing to do or no budget for it."""
    before = Search(services, head)
    clusters = open_clusters(services, incumbent, batch)
    suite = tuple(case.task_id for case in services.history.suite(incumbent))
    opened = RoundOpened(
        batch=batch,
        after=before.head,
        number=1,
        incumbent=incumbent,
        clusters=clusters,
        suite=suite,
        diversify=diversify,
    )
    number = _free_number(services, opened, before.field.round + 1)
    opened = opened.model_copy(update={"number": number})
    field = _opened(services, before.field, opened)
    slots = before.strategy.slots(field)
    if not slots and isinstance(before.strategy.pick(field), Nothing):
        return None
    before.write(opened)
    if slots:
        before.write(SlotsAsked(batch=batch, slots=slots))
    return before


def open_clusters(services: Services, incumbent: str, batch: int) -> tuple[OpenCluster, ...]:
    """The clusters that still fail, in rank order, as the search knows them."""
    history = services.history
    shut = {case.task_id for case in history.suite(incumbent)}
    ledger = history.ledger(incumbent)
    return tuple(_open(cluster, shut, ledger) for cluster in history.ranked(incumbent, batch))


def _open(cluster: Cluster, shut: set[str], ledger: Sequence[LedgerEntry]) -> OpenCluster:
    oldest = sorted(cluster.failures, key=lambda failure: failure.batch)
    failing = [f.task_id for f in oldest if f.task_id not in cluster.resolved_tasks]
    tried = [
        entry.kind
        for entry in ledger
        if entry.outcome == "rejected" and entry.kind and len(entry.parts) < 2 and entry.cluster_id == cluster.id
    ]
    return OpenCluster(
        id=cluster.id,
        targets=tuple(task for task in dict.fromkeys(failing) if task not in shut),
        evidence=tuple(dict.fromkeys(f.task_id for f in oldest)),
        request_types=tuple(sorted({f.request_type for f in cluster.failures})),
        level=_level(cluster),
        tried=tuple(tried),
        attempts=cluster.attempts,
    )


def _level(cluster: Cluster) -> Level:
    """Whether most of its miners blamed the code."""
    said = Counter(failure.instruction == "code" for failure in cluster.failures)
    return "scaffold" if said[True] > said[False] else "prompt"


def _free_number(services: Services, opened: RoundOpened, number: int) -> int:
    """A fork that opens another round here gets a number of its own, so that its drafts have ids of their own."""
    known = {fact.number: fact.id for fact in services.journal.read(RoundOpened)}
    for fork in count():
        tried = number + 1_000 * fork
        if tried not in known or known[tried] == opened.model_copy(update={"number": tried}).id:
            return tried
    raise AssertionError("there is always another number")


def _opened(services: Services, field: Field, fact: RoundOpened) -> Field:
    """What was found unusable in this batch stays in until the next, so that a resumed round sees the same tasks."""
    unusable = services.history.unusable_tasks(before=fact.batch)
    training = [_training(task) for task in services.benchmark.tasks("train") if task.id not in unusable]
    opened = rounds.open_round(field, fact.clusters, batch=fact.batch, suite=fact.suite, number=fact.number)
    return opened.model_copy(update={"diversify": fact.diversify, "training": tuple(training)})


def _empty_field(services: Services, rules: SearchRules) -> Field:
    settings = services.settings
    attempts = min(settings.max_attempts, settings.batches * settings.attempts)
    return Field(
        seed=settings.seed,
        budget=Budget(
            total=settings.rollouts or rules.gate_cost * attempts + rules.gate_most,
            batches=settings.batches,
            drafts_left=settings.max_drafts,
        ),
    )


def _training(task: Task) -> TrainingTask:
    return TrainingTask(id=task.id, request_type=task.request_type)


def draft_ids(search: Search) -> list[str]:
    """Of the slots that are being asked for."""
    return [slot.draft_id for slot in search.asked]
