"""Nearest failures, learnings and attempts: a Chroma index that may be lost at any time.

The journal holds every text with its vector; Chroma is filled after it and thrown away whenever it was not
closed properly, because a damaged Chroma folder ends the process instead of raising. A second process
searches the journal's vectors directly.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from sigmaloop.errors import BadInput, Busy, StoreError, boundary
from sigmaloop.memory.embedder import PROBE, Embedder
from sigmaloop.memory.journal import Journal, VectorRow
from sigmaloop.memory.known import KnownVectors
from sigmaloop.memory.lock import FileLock

Kind = Literal["failure", "learning", "attempt"]

CLEAN = "CLEAN"
"""File in the Chroma folder that says: closed properly, with the journal's vectors as they were then."""
CHUNK = 5_000
"""Records of one upsert; Chroma takes at most 5,461."""
SPARE = 64
"""Candidates asked of the approximate index, at least, before they are ranked exactly."""


class Item(NamedTuple):
    """Something to be found again by its text."""

    kind: Kind
    id: str
    text: str
    metadata: Mapping[str, Any] = {}


class Hit(NamedTuple):
    """A stored item near a query."""

    id: str
    distance: float
    """1 - cosine: 0 for the same text, about 1 for an unrelated one."""
    metadata: dict[str, Any]
    text: str


class FailureIndex:
    """Search by meaning over what the journal remembers. Threads may share it."""

    def __init__(self, path: Path, embedder: Embedder, *, journal: Journal) -> None:
        """Raises BadInput when the journal's vectors were made by another embedder."""
        self.path = Path(path)
        probe = embedder.embed([PROBE])[0]
        self._journal = journal
        self._name = embedder.id.name
        self._vectors = KnownVectors(embedder, journal)
        self._mutex = threading.RLock()
        self._lock = FileLock(self.path.with_name(self.path.name + ".lock"))
        self._client: Any = None
        self._behind = False  # the journal has vectors that did not reach Chroma
        self._collections: dict[str, Any] = {}
        self._scans: dict[str, tuple[int, list[VectorRow]]] = {}
        self._check_embedder(probe)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, kind: Kind, id: str, text: str, metadata: Mapping[str, Any] | None = None) -> None:  # noqa: A002
        """Make something findable; the same again costs nothing. Raises Busy beside another writer."""
        self.add_all([Item(kind, id, text, metadata or {})])

    def add_all(self, items: Iterable[Item]) -> None:
        """Make many things findable: into the journal first, in one transaction, then into Chroma."""
        with self._mutex:
            if not self._open():
                raise Busy(f"{self.path} is in use by {self._lock.holder()}; only one process may add to it")
            rows = self._rows_of(list({(item.kind, item.id): item for item in items}.values()))
            self._behind = True
            self._journal.save_vectors(rows)
            self._fill(rows)
            self._behind = False

    def search(self, kind: Kind, text: str, k: int = 5) -> list[Hit]:
        """The k stored items nearest to a text, nearest first, ties by id."""
        with self._mutex:
            query = self._vectors.embed([text])[0]
            rows = self._candidates(kind, query, k) if self._open() else self._scan(kind)
            return _nearest(query, rows, k)

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors of texts, one row each, by this index's embedder, which is asked once a text."""
        return self._vectors.embed(texts)

    def rebuild(self) -> None:
        """Throw the Chroma folder away and fill a new one from the journal."""
        with self._mutex:
            if not self._open():
                raise Busy(f"{self.path} is in use by {self._lock.holder()}; rebuild it when that has ended")
            self._shut()
            self._start_anew()

    def close(self) -> None:
        """Close Chroma properly and say so; an index that was never opened stays untouched."""
        with self._mutex:
            if self._client is not None:
                self._shut()
                if not self._behind:
                    with suppress(OSError):  # without the marker it is rebuilt next time, no more
                        (self.path / CLEAN).write_text(self._state(), encoding="utf-8")
            self._lock.drop()

    # The embedder --------------------------------------------------------------------------------------

    def _check_embedder(self, probe: npt.NDArray[np.float32]) -> None:
        stored = self._journal.vectors("probe")
        if not stored:
            if not self._journal.readonly:
                row = VectorRow("probe", "probe", self._name, PROBE, {}, _packed(probe))
                self._journal.save_vectors([row])
            return
        if stored[0].embedder != self._name:
            raise BadInput(
                f"{self._journal.path} was embedded with {stored[0].embedder}, the settings now say "
                f"{self._name}; set the embedder back, or start a new run"
            )
        likeness = float(_unpacked(stored[0].vector) @ probe)
        if likeness < 0.999:
            raise BadInput(
                f"{self._journal.path} was embedded with {stored[0].embedder}, and what is called "
                f"{self._name} now gives other vectors (cosine {likeness:.3f}); use the same endpoint and "
                "model as before, or start a new run"
            )

    def _rows_of(self, items: Sequence[Item]) -> list[VectorRow]:
        """What must be stored: new texts embedded, known ones with their vector, unchanged rows left out."""
        known = {
            (row.kind, row.id): row
            for kind in sorted({item.kind for item in items})
            for row in self._journal.vectors(kind, ids=[item.id for item in items if item.kind == kind])
        }
        vectors = {key: row.vector for key, row in known.items()}
        fresh = [i for i in items if (i.kind, i.id) not in known or known[i.kind, i.id].text != i.text]
        matrix = self._vectors.embed([item.text for item in fresh])
        for item, vector in zip(fresh, matrix, strict=True):
            vectors[item.kind, item.id] = _packed(vector)
        rows = [
            VectorRow(item.kind, item.id, self._name, item.text, dict(item.metadata), vectors[item.kind, item.id])
            for item in items
        ]
        return [row for row in rows if known.get((row.kind, row.id)) != row]

    # Chroma --------------------------------------------------------------------------------------------

    def _open(self) -> bool:
        """Whether this process has Chroma; if not, another one does or the journal is only being read."""
        if self._client is not None:
            return True
        if self._journal.readonly or not self._lock.take():
            return False
        try:
            if not self._reconnect():
                self._start_anew()
        except BaseException:
            self._shut()
            self._lock.drop()
            raise
        return True

    def _reconnect(self) -> bool:
        """Whether the folder was closed properly, as the journal is now, and could be opened."""
        marker = self.path / CLEAN
        trusted = marker.is_file() and marker.read_text(encoding="utf-8", errors="replace") == self._state()
        marker.unlink(missing_ok=True)
        if not trusted:
            return False
        try:
            self._connect()
        # Whatever is wrong with the folder, it is only a copy: a new one is made from the journal.
        except Exception:
            self._shut()
            return False
        return True

    def _connect(self) -> None:
        import chromadb  # over a second to import: only a run that searches pays for it
        from chromadb.config import Settings

        settings = Settings(anonymized_telemetry=False)
        self._client = chromadb.PersistentClient(path=str(self.path.absolute()), settings=settings)
        for kind in self._journal.vector_counts():
            if kind != "probe":
                self._collection(kind).count()  # a folder that cannot be read shows it now

    def _start_anew(self) -> None:
        aside = self.path.with_name(self.path.name + ".aside")
        with boundary(StoreError, f"rebuilding the index {self.path} from {self._journal.path}"):
            if self.path.exists():
                shutil.rmtree(aside, ignore_errors=True)
                self.path.rename(aside)
            self.path.mkdir(parents=True)
            self._connect()
            for kind in self._journal.vector_counts():
                if kind != "probe":
                    self._fill(self._journal.vectors(kind))
            self._behind = False

    def _shut(self) -> None:
        client, self._client, self._collections = self._client, None, {}
        if client is not None:
            client.close()
            return
        from chromadb.api.shared_system_client import SharedSystemClient

        # A client that failed to start stays in Chroma's table and would be handed out again for this path.
        SharedSystemClient._identifier_to_system.pop(str(self.path.absolute()), None)

    def _collection(self, kind: str) -> Any:
        if kind not in self._collections:
            self._collections[kind] = self._client.get_or_create_collection(
                f"{kind}.{self._name}",
                configuration={"hnsw": {"space": "cosine", "ef_search": 200}},
                metadata={"embedder": self._name},
                embedding_function=None,  # the default one downloads a model
            )
        return self._collections[kind]

    def _fill(self, rows: Sequence[VectorRow]) -> None:
        for kind in sorted({row.kind for row in rows}):
            group = [row for row in rows if row.kind == kind]
            for start in range(0, len(group), CHUNK):
                chunk = group[start : start + CHUNK]
                with boundary(StoreError, f"writing to the index {self.path}; resume to rebuild it"):
                    self._collection(kind).upsert(
                        ids=[row.id for row in chunk],
                        embeddings=np.stack([_unpacked(row.vector) for row in chunk]),
                    )

    def _candidates(self, kind: str, query: npt.NDArray[np.float32], k: int) -> list[VectorRow]:
        # More than asked for, then ranked exactly: what is found must not hang on how the graph was built.
        with boundary(StoreError, f"searching the index {self.path}; resume to rebuild it"):
            answer = self._collection(kind).query(
                query_embeddings=query[np.newaxis], n_results=max(SPARE, 4 * k), include=["distances"]
            )
        return self._journal.vectors(kind, ids=answer["ids"][0])

    def _scan(self, kind: str) -> list[VectorRow]:
        state = self._journal.vector_state()
        if kind not in self._scans or self._scans[kind][0] != state:
            self._scans[kind] = (state, self._journal.vectors(kind))
        return self._scans[kind][1]

    def _state(self) -> str:
        return f"{self._name} {self._journal.vector_state()}\n"


def _nearest(query: npt.NDArray[np.float32], rows: Sequence[VectorRow], k: int) -> list[Hit]:
    if not rows or k < 1:
        return []
    matrix = np.frombuffer(b"".join(row.vector for row in rows), dtype="<f4").reshape(len(rows), -1)
    # Rounded, so that equal texts are equal however the sums were grouped.
    distances = np.round(1.0 - (matrix @ query).astype(float), 6) + 0.0
    ranked = sorted(zip(distances.tolist(), rows, strict=True), key=lambda pair: (pair[0], pair[1].id))
    return [Hit(row.id, distance, row.metadata, row.text) for distance, row in ranked[:k]]


def _packed(vector: npt.NDArray[np.float32]) -> bytes:
    return vector.astype("<f4").tobytes()


def _unpacked(blob: bytes) -> npt.NDArray[np.float32]:
    return np.frombuffer(blob, dtype="<f4").astype(np.float32)
