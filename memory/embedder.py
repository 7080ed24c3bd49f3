"""Texts to unit vectors: `hash-v1` needs nothing but numpy; the other asks an OpenAI-compatible endpoint."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from sigmaloop.errors import UpstreamError, boundary
from sigmaloop.records import Record, digest

PROBE = "The agent acted on the first order it found and never asked which one was meant."
"""Embedded when an index is opened: the same name must still give the same vector."""


class EmbedderId(Record):
    """Which embedder made a vector; vectors of two embedders never meet."""

    kind: str
    model: str
    dimension: int

    @property
    def name(self) -> str:
        """Usable as a collection's name: `hash-v1-1024-1a2b3c4d`."""
        plain = re.sub(r"[^a-zA-Z0-9]+", "-", self.model).strip("-")[:60]
        return f"{plain}-{self.dimension}-{digest(self.kind, self.model, self.dimension, size=8)}"


class Embedder(Protocol):
    """Turns texts into vectors, always the same vector for the same text."""

    @property
    def id(self) -> EmbedderId: ...
    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One row of length 1 per text. Raises UpstreamError when an endpoint is needed and fails."""
        ...


class HashEmbedder:
    """`hash-v1`: words, word pairs and parts of words, hashed with a sign; deterministic everywhere."""

    dimension = 1024

    @property
    def id(self) -> EmbedderId:
        return EmbedderId(kind="hash", model="hash-v1", dimension=self.dimension)

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        matrix = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(matrix, texts, strict=True):
            for feature, weight in _features(text):
                place, sign = _slot(feature)
                row[place] += sign * weight
            row /= float(np.linalg.norm(row)) or 1.0
        return matrix


class EndpointEmbedder:
    """Embeddings of any OpenAI-compatible endpoint."""

    def __init__(self, model: str, ask: Callable[[Sequence[str]], Mapping[str, Any]]) -> None:
        """`ask` makes the call: texts to the endpoint's whole answer, whose `data` has an `embedding` for each."""
        self.model = model
        self._ask = ask
        self._dimension = 0

    @property
    def id(self) -> EmbedderId:
        if not self._dimension:
            self.embed([PROBE])
        return EmbedderId(kind="openai", model=self.model, dimension=self._dimension)

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        if not texts:
            return np.zeros((0, self._dimension), dtype=np.float32)
        with boundary(UpstreamError, f"embedding {len(texts)} texts with {self.model}"):
            data = self._ask(texts)["data"]
            rows = [row["embedding"] for _, row in sorted(enumerate(data), key=lambda n: n[1].get("index", n[0]))]
            matrix = np.asarray(rows, dtype=np.float32)
            if matrix.ndim != 2 or len(matrix) != len(texts) or not np.isfinite(matrix).all():
                raise UpstreamError(f"{self.model} answered with vectors of a wrong shape: {matrix.shape}")
        self._dimension = matrix.shape[1]
        norms = np.linalg.norm(matrix, axis=1, keepdims=True)
        return np.asarray(matrix / np.where(norms > 0, norms, 1.0), dtype=np.float32)


_WORDS = re.compile(r"\w+")
_STOP_WORDS = """
    a an and any are as at be because been before but by can could did do does for from had has have he her
    his if in instead into is it its just not of on only or she should so than that the their them then there
    they this to was were what when which while who will with without would agent user customer
"""
_STOP = frozenset(_STOP_WORDS.split())
_ENDINGS = (
    *("ations", "ation", "ments", "ment", "ings", "ing"),
    *("ies", "ied", "ers", "er", "ed", "es", "ly", "s", "e"),
)
_PAIR, _PART = 0.7, 0.35
"""Weights of a pair of words and of a part of a word, against 1 for a word."""


def _features(text: str) -> Iterator[tuple[str, float]]:
    words = [_stem(word) for word in _WORDS.findall(text.casefold()) if word not in _STOP]
    counts: Counter[str] = Counter(f"w {word}" for word in words)
    counts.update(f"p {first} {second}" for first, second in pairwise(words))
    for word in words:
        counts.update(_parts(word))
    if not counts:  # a text without words still needs a direction
        counts["empty"] += 1
    for feature, count in counts.items():
        weight = {"p": _PAIR, "g": _PART}.get(feature[0], 1.0)
        yield feature, weight * float(np.sqrt(count))


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


@lru_cache(maxsize=20_000)
def _parts(word: str) -> tuple[str, ...]:
    framed = f"<{word}>"
    return tuple(f"g {framed[i : i + n]}" for n in (3, 4) for i in range(len(framed) - n + 1))


@lru_cache(maxsize=100_000)
def _slot(feature: str) -> tuple[int, float]:
    # errors="replace": text of a model may hold lone surrogates, which have no bytes.
    number = int.from_bytes(blake2b(feature.encode(errors="replace"), digest_size=8).digest(), "little")
    return number % HashEmbedder.dimension, 1.0 if number >> 63 else -1.0
