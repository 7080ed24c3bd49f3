"""Who may call a model: the target agent and the four specialists."""

from __future__ import annotations

from typing import Literal

Role = Literal["target", "failure_miner", "clusterer", "harness_engineer", "gate_judge"]
ROLES: tuple[Role, ...] = ("target", "failure_miner", "clusterer", "harness_engineer", "gate_judge")
