"""Who may call a model: the target agent, the four specialists, the benchmark's user and judge, and the embedder."""

from __future__ import annotations

from typing import Literal

Role = Literal["target", "failure_miner", "clusterer", "harness_engineer", "gate_judge", "user", "judge", "embedding"]
ROLES: tuple[Role, ...] = (
    *("target", "failure_miner", "clusterer", "harness_engineer", "gate_judge"),
    *("user", "judge", "embedding"),
)
