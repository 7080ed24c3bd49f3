"""The simulated clusterer knows every wording of a habit and sorts a night of failures by cause, with some mistakes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sigmaloop.agents.clusterer import Clusterer
from sigmaloop.agents.filing import KnownCluster, NewCause
from sigmaloop.records import Cluster, digest
from sigmaloop.simulation.habits import HABITS
from sigmaloop.simulation.specialists.phrasings import PHRASINGS
from sigmaloop.simulation.specialists.recognition import recognise, similarity


def stream(count: int) -> list[str]:
    """Habits as a night of traffic brings them: some often, most now and then."""
    names = list(HABITS)
    at = [int(digest("night", i, size=8), 16) / 16**8 for i in range(count)]
    return [names[int(len(names) * x**1.35)] for x in at]


def test_every_wording_of_a_habit_is_recognised() -> None:
    for habit, (mechanisms, causes, remedies) in PHRASINGS.items():
        for tag in mechanisms:
            for cause in causes:
                assert recognise(f"{tag} {cause} {remedies[-1]}") == habit


def test_unrelated_words_are_recognised_as_nothing() -> None:
    for text in ("", "The weather is nice.", "Quantum chromodynamics in a nutshell."):
        assert recognise(text) is None


def test_similarity_is_one_for_the_same_and_nothing_for_unrelated_texts() -> None:
    assert similarity("refund not stated", "refund not stated") > 0.999
    assert similarity("refund not stated", "weather forecast") == 0.0


def test_a_night_of_failures_falls_into_clusters_by_cause(models: Any, failure: Any) -> None:
    """Through the real gateway and ChatOpenAI: about five decisions in six are right, and some causes are split."""
    clusterer, clusters, truth, said = Clusterer(models, setting="s"), {}, {}, []
    right = decisions = 0
    for number, habit in enumerate(stream(80)):
        mined = failure(habit, number)
        shown = [KnownCluster(cluster=c, state="open") for c in clusters.values()]
        cause = NewCause(label="N1", failures=(mined,))
        filing = clusterer.file([cause], shown, batch=1, scope=f"cluster:{number}")
        choice = filing.places[0]
        said += [(habit, named.diagnosis.missing_instruction) for named in filing.diagnoses]
        ought = next((c for c, h in truth.items() if h == habit), None)
        decisions += 1
        right += (choice.cluster_id is None) if ought is None else truth.get(choice.cluster_id or "") == habit
        key = choice.cluster_id or f"C{len(clusters) + 1:03d}"
        truth.setdefault(key, habit)
        known = clusters.get(key)
        clusters[key] = (
            known.model_copy(update={"failures": (*known.failures, mined)})
            if known
            else Cluster(
                id=key,
                title=choice.title or mined.mechanism,
                root_cause=mined.root_cause,
                created_batch=0,
                failures=(mined,),
            )
        )
    assert sum(remedy in PHRASINGS[habit].remedies for habit, remedy in said) > 0.7 * len(said) > 40
    assert 0.78 <= right / decisions < 0.95
    assert len(clusters) >= 29
    assert Counter(truth.values()).most_common(1)[0][1] <= 4
