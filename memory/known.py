"""Vectors of texts, each asked for once: what the journal holds is not embedded, nor paid, again."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sigmaloop.errors import UpstreamError
from sigmaloop.memory.embedder import Embedder
from sigmaloop.memory.journal import Journal

Vectors = npt.NDArray[np.float32]


class KnownVectors:
    """An embedder that remembers. Threads may share it.

    In memory: 4 kB a text of 1,024 dimensions, for every text of the journal once it is asked for the first.
    """

    def __init__(self, embedder: Embedder, journal: Journal) -> None:
        self._embedder = embedder
        self._journal = journal
        self._known: dict[str, Vectors] = {}
        self._read_to = 0
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 per text. Raises UpstreamError when an endpoint is needed and fails."""
        with self._lock:
            missing = [text for text in dict.fromkeys(texts) if text not in self._known]
            if missing:
                self._read()
                self._ask([text for text in missing if text not in self._known])
            if not texts:
                return np.zeros((0, self._embedder.id.dimension), dtype=np.float32)
            return np.stack([self._known[text] for text in texts])

    def _read(self) -> None:
        """Take over what was stored since the last look, by this process or another."""
        wanted = 4 * self._embedder.id.dimension
        for seq, text, vector in self._journal.vectors_since(self._read_to, embedder=self._embedder.id.name):
            self._read_to = seq
            if len(vector) == wanted:  # else it is damaged, and embedded again
                self._known[text] = np.frombuffer(vector, dtype="<f4").astype(np.float32)

    def _ask(self, texts: Sequence[str]) -> None:
        if not texts:
            return
        matrix, known = self._embedder.embed(texts), self._embedder.id
        if matrix.shape != (len(texts), known.dimension):
            raise UpstreamError(
                f"embedder {known.name} gave vectors of shape {matrix.shape}, not {known.dimension} wide"
            )
        self._known.update(zip(texts, matrix, strict=True))
