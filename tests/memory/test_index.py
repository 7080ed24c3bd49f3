"""The index finds a cause in other words, agrees with a full scan, and is rebuilt whenever it cannot be trusted."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from sigmaloop.errors import BadInput, Busy, StoreError, UpstreamError
from sigmaloop.memory.clusters import fold_clusters
from sigmaloop.memory.embedder import PROBE, EmbedderId, HashEmbedder
from sigmaloop.memory.index import CLEAN, FailureIndex, Item
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.similarity import Embed, fallback_choice, nearest_clusters
from sigmaloop.records import FailureRecord

CAUSES = {
    "first": "acts on first order. It took the first order of the list. Compare all orders with the description.",
    "amount": "omits refund amount. It never said how much is refunded. State the amount of the refund.",
    "reboot": "reboot before line check. It had the phone restarted. Look at the status of the line first.",
    "second": "forgets second request. It ended after the first of two requests. Ask whether there is more.",
    "cabin": "cabin downgrade without refund. It changed the cabin only. Refund the difference in price.",
}


class CountingEmbedder(HashEmbedder):
    """Counts the texts that it is asked for, as an endpoint's bill would."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @property
    def texts(self) -> int:
        return len(self.asked)

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.asked += texts
        return super().embed(texts)


@pytest.fixture
def open_index(tmp_path: Path, journal: Journal) -> Iterator[Callable[..., FailureIndex]]:
    opened: list[FailureIndex] = []

    def make(*, using: Journal | None = None, embedder: HashEmbedder | None = None) -> FailureIndex:
        index = FailureIndex(tmp_path / "run" / "chroma", embedder or HashEmbedder(), journal=using or journal)
        opened.append(index)
        return index

    yield make
    for index in opened:
        index.close()


@pytest.fixture
def index(open_index: Callable[..., FailureIndex]) -> FailureIndex:
    made = open_index()
    made.add_all([Item("failure", id_, text, {"tags": [id_], "batch": 1}) for id_, text in CAUSES.items()])
    return made


def test_a_cause_is_found_in_other_words(index: FailureIndex) -> None:
    hits = index.search("failure", "the customer was not told the amount that is refunded", 2)
    assert hits[0].id == "amount"
    assert hits[0].metadata == {"tags": ["amount"], "batch": 1}
    assert hits[0].text == CAUSES["amount"]
    assert 0 < hits[0].distance < hits[1].distance
    assert index.search("failure", CAUSES["cabin"], 1)[0].distance == pytest.approx(0, abs=1e-5)


def test_kinds_do_not_mix_and_k_is_the_most_that_comes(index: FailureIndex) -> None:
    index.add("learning", "L1", "State the amount of the refund")
    assert [hit.id for hit in index.search("learning", CAUSES["amount"], 5)] == ["L1"]
    assert len(index.search("failure", "refund", 3)) == 3
    assert len(index.search("failure", "refund", 50)) == 5
    assert index.search("failure", "refund", 0) == []
    assert index.search("attempt", "refund", 5) == []


def test_equal_texts_are_ordered_by_id(index: FailureIndex) -> None:
    index.add_all([Item("attempt", f"A{n}", "the very same words") for n in (3, 1, 2)])
    assert [hit.id for hit in index.search("attempt", "the very same words", 2)] == ["A1", "A2"]


def test_adding_again_replaces_and_never_pays_for_a_known_text(
    open_index: Callable[..., FailureIndex], journal: Journal
) -> None:
    embedder = CountingEmbedder()
    index = open_index(embedder=embedder)
    index.add("failure", "F", "one text")
    paid, state = embedder.texts, journal.vector_state()
    index.add("failure", "F", "one text")
    assert (embedder.texts, journal.vector_state()) == (paid, state)
    index.add("failure", "F", "one text", {"new": 1})
    assert embedder.texts == paid
    assert index.search("failure", "one text", 1)[0].metadata == {"new": 1}
    index.add("failure", "F", "quite another subject")
    (hit,) = index.search("failure", "quite another subject", 5)
    assert hit.distance == pytest.approx(0, abs=1e-5)


def test_a_properly_closed_index_is_used_as_it_is(index: FailureIndex, open_index: Callable[..., FailureIndex]) -> None:
    hits = index.search("failure", "refund", 5)
    index.close()
    assert (index.path / CLEAN).exists()
    again = open_index()
    assert again.search("failure", "refund", 5) == hits
    assert not (again.path / CLEAN).exists(), "open means it may be damaged any time"
    assert not again.path.with_name("chroma.aside").exists(), "nothing had to be rebuilt"


@pytest.mark.parametrize("damage", ["no marker", "no folder", "other state", "torn files", "garbage"])
def test_an_index_that_cannot_be_trusted_is_rebuilt_from_the_journal(
    damage: str, index: FailureIndex, open_index: Callable[..., FailureIndex]
) -> None:
    hits = index.search("failure", "refund", 5)
    index.close()
    if damage == "no marker":
        (index.path / CLEAN).unlink()
    elif damage == "no folder":
        shutil.rmtree(index.path)
    elif damage == "other state":
        (index.path / CLEAN).write_text("hash-v1 999\n")
    elif damage == "torn files":
        (index.path / CLEAN).unlink()
        for file in index.path.rglob("*"):
            if file.is_file():
                file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    else:
        (index.path / "chroma.sqlite3").write_bytes(b"not a database" * 1000)
    again = open_index()
    assert again.search("failure", "refund", 5) == hits
    again.close()
    assert (again.path / CLEAN).exists()


def test_an_index_that_fell_behind_the_journal_is_not_called_clean(
    index: FailureIndex, open_index: Callable[..., FailureIndex]
) -> None:
    shutil.rmtree(index.path)
    with pytest.raises(StoreError, match="resume to rebuild it"):
        index.add("failure", "new", "an entirely new subject: luggage")
    index.close()
    assert not (index.path / CLEAN).exists()
    assert open_index().search("failure", "luggage", 1)[0].id == "new", "the journal had it"


def test_vectors_of_another_width_are_refused_before_they_are_stored(
    open_index: Callable[..., FailureIndex], journal: Journal
) -> None:
    class Shrinking(HashEmbedder):
        def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
            matrix = super().embed(texts)
            return matrix[:, :512] if "short" in texts else matrix

    index = open_index(embedder=Shrinking())
    with pytest.raises(UpstreamError, match="not 1024 wide"):
        index.add("failure", "F", "short")
    assert journal.vectors("failure") == []
    index.add("failure", "F", "long")
    assert index.search("failure", "long", 1)[0].id == "F"


def test_rebuilding_on_request_changes_no_answer(index: FailureIndex) -> None:
    hits = index.search("failure", "refund", 5)
    index.rebuild()
    assert index.search("failure", "refund", 5) == hits


def test_beside_another_holder_one_can_search_but_not_add(
    index: FailureIndex, open_index: Callable[..., FailureIndex], journal: Journal
) -> None:
    beside = open_index()
    assert beside.search("failure", "refund", 5) == index.search("failure", "refund", 5)
    with pytest.raises(Busy, match="in use by process"):
        beside.add("failure", "x", "text")
    with pytest.raises(Busy):
        beside.rebuild()
    index.add("failure", "new", "an entirely new subject: luggage")
    assert beside.search("failure", "luggage", 1)[0].id == "new", "what the holder adds is seen"
    with Journal(journal.path, readonly=True) as reading:
        assert open_index(using=reading).search("failure", "luggage", 1)[0].id == "new"


def test_another_embedder_is_refused_by_name(index: FailureIndex, journal: Journal, tmp_path: Path) -> None:
    class Other(HashEmbedder):
        @property
        def id(self) -> EmbedderId:
            return EmbedderId(kind="hash", model="hash-v2", dimension=1024)

    with pytest.raises(
        BadInput, match=r"hash-v1-1024-\w+, the settings now say hash-v2-1024-\w+; set the embedder back"
    ):
        FailureIndex(tmp_path / "run" / "chroma", Other(), journal=journal)


def test_the_same_name_with_other_vectors_is_refused(index: FailureIndex, journal: Journal, tmp_path: Path) -> None:
    class Changed(HashEmbedder):
        def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
            return np.roll(super().embed(texts), 1, axis=1)

    with pytest.raises(BadInput, match="gives other vectors"):
        FailureIndex(tmp_path / "run" / "chroma", Changed(), journal=journal)


def test_chroma_agrees_with_a_full_scan_over_many_records(
    open_index: Callable[..., FailureIndex], journal: Journal
) -> None:
    words = sorted({word for text in CAUSES.values() for word in text.split()})
    rng = np.random.default_rng(5)
    texts = [" ".join(rng.choice(words, size=6)) for _ in range(1_200)]
    index = open_index()
    index.add_all([Item("failure", f"F{n:04d}", text) for n, text in enumerate(texts)])
    beside = open_index()
    for text in texts[:20]:
        assert index.search("failure", text, 5) == beside.search("failure", text, 5)


WORDS = (
    "refund",
    "order",
    "amount",
    "policy",
    "line",
    "phone",
    "cabin",
    "status",
    "request",
    "upgrade",
    "address",
    "seat",
)


def failures(make_failure: Callable[..., FailureRecord], count: int) -> list[FailureRecord]:
    """Some alike, some not, two of them with the very same text."""
    return [
        make_failure(
            f"t{n:02d}",
            mechanism=f"{WORDS[n % 5]} {WORDS[(n * 7) % 11]} forgotten",
            root_cause=f"It never looked at the {WORDS[n % len(WORDS)]} of the {WORDS[(n * 3 + 1) % len(WORDS)]}.",
            should_have=f"Look at the {WORDS[(n * 5) % len(WORDS)]} first.",
        )
        for n in [*range(count), 0]
    ]


def decided(journal: Journal, found: Sequence[FailureRecord], embed: Embed, add: Callable[..., None]) -> list[str]:
    """What is shown of the clusters and which one is chosen, failure by failure, without a model."""
    told = []
    for number, failure in enumerate(found):
        add("failure", f"{number}", failure.embedding_text)
        clusters = fold_clusters(journal.events())
        shown = nearest_clusters(failure, clusters, embed)
        choice = fallback_choice(failure, clusters, embed, threshold=0.75)
        told.append(f"{[cluster.id for cluster in shown]} {choice}")
        cluster_id = choice.cluster_id or f"C{len(clusters) + 1:03d}"
        if choice.cluster_id is None:
            created = {"cluster_id": cluster_id, "title": choice.title, "root_cause": failure.root_cause}
            journal.append("cluster_created", cluster_id, created, batch=1)
        assigned = {"cluster_id": cluster_id, "failure": failure.model_dump(mode="json")}
        journal.append("failure_assigned", f"assigned:{number}", assigned, batch=1)
    return told


def test_every_failure_is_embedded_once_and_decided_as_if_all_were_embedded_anew(
    open_index: Callable[..., FailureIndex],
    journal: Journal,
    tmp_path: Path,
    make_failure: Callable[..., FailureRecord],
) -> None:
    found = failures(make_failure, 30)
    embedder = CountingEmbedder()
    index = open_index(embedder=embedder)
    told = decided(journal, found, index.embed, index.add)
    assert sorted(embedder.asked) == sorted({PROBE, *(failure.embedding_text for failure in found)})
    with Journal(tmp_path / "plain.sqlite") as plain:
        assert decided(plain, found, HashEmbedder().embed, lambda *_: None) == told
        assert len(fold_clusters(plain.events())) > 3


def test_what_the_journal_holds_is_not_embedded_again_by_a_resumed_run_but_what_is_damaged_is(
    open_index: Callable[..., FailureIndex], journal: Journal
) -> None:
    with open_index() as first:
        first.add_all([Item("failure", id_, text) for id_, text in CAUSES.items()])
    journal._db.execute("UPDATE vectors SET vector = x'00' WHERE id = 'cabin'")
    embedder = CountingEmbedder()
    resumed = open_index(embedder=embedder)
    assert np.array_equal(resumed.embed(list(CAUSES.values())), HashEmbedder().embed(list(CAUSES.values())))
    assert embedder.asked == [PROBE, CAUSES["cabin"]]
    with open_index(using=journal) as other:
        other.add("learning", "L", "learnt elsewhere")
    resumed.embed(["learnt elsewhere", "new"])
    assert embedder.asked[2:] == ["new"]
    assert resumed.embed([]).shape == (0, 1024)
