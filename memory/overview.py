"""Slim reads of a journal for whoever shows a run: what a page needs of many rollouts and decisions, and no more.

A full decision weighs up to 100 kB, most of it rollouts; SQLite picks out the few fields that people look at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sigmaloop.memory.events import Event
from sigmaloop.memory.journal import Journal

DECISION = "decision"
LAST_BATCH_TRIAL, GATE_TRIAL, BANK_TRIAL, CONTROL_TRIAL, CERTIFY_TRIAL, BESIDE_TRIAL = (
    99_999, 100_000, 500_000, 900_000, 1_000_000, 2_000_000,
)  # fmt: skip
"""Trial numbers tell what a rollout was made for where it does not say so itself."""


class Result(NamedTuple):
    """A rollout, without what nobody looks at."""

    agent: str
    task_id: str
    trial: int
    status: str
    reward: float | None
    passed: bool
    stage: str
    """As it says itself, or as its trial number tells."""
    split: str
    """Empty where it does not say."""
    request_type: str
    detail: str
    id: str


class Spending(NamedTuple):
    """What one rollout or one decision of a specialist cost."""

    id: str
    role: str
    batch: int
    calls: int
    tokens: int
    cost: float


_RESULTS = """
SELECT agent, task_id, trial, status, json_extract(payload, '$.reward'),
    coalesce(json_extract(payload, '$.pass_at'), 1.0), json_extract(payload, '$.stage'),
    json_extract(payload, '$.split'), json_extract(payload, '$.request_type'),
    CASE WHEN json_extract(payload, '$.reward') >= 1 THEN '' ELSE json_extract(payload, '$.detail') END, id
FROM rollouts ORDER BY agent, task_id, trial"""

_DECISIONS = """
SELECT seq, id, batch, json_object(
    'subject', json_extract(payload, '$.subject'), 'findings', json_extract(payload, '$.findings'),
    'outcome', json_extract(payload, '$.outcome'), 'reason', json_extract(payload, '$.reason'),
    'kept', json(CASE json_extract(payload, '$.kept') WHEN 1 THEN 'true' ELSE 'false' END),
    'veto', json_extract(payload, '$.veto'), 'before', json_extract(payload, '$.before'),
    'after', json_extract(payload, '$.after'), 'stages', json_extract(payload, '$.inputs.stages'))
FROM events WHERE kind = 'decision' ORDER BY seq"""


def results(journal: Journal) -> list[Result]:
    """Every rollout, infrastructure faults too."""
    return [
        Result(
            agent, task, trial, status, reward,
            reward is not None and reward >= pass_at - 5e-7, stage or stage_of(trial), split or "", kind or "",
            detail or "", id_,
        )
        for agent, task, trial, status, reward, pass_at, stage, split, kind, detail, id_ in journal.select(_RESULTS)
    ]  # fmt: skip


def stage_of(trial: int) -> str:
    """What a rollout with this trial number was made for; traffic and the reference policy's gate share small ones."""
    for least, stage in (
        (BESIDE_TRIAL, "control"), (CERTIFY_TRIAL, "certify"), (CONTROL_TRIAL, "control"), (BANK_TRIAL, "incumbent"),
        (GATE_TRIAL, "gate"), (1, "traffic"),
    ):  # fmt: skip
        if trial >= least:
            return stage
    return "gate"


def decisions(journal: Journal) -> list[Event]:
    """Decisions as events whose payload is cut to subject, findings, outcome and the estimates around them."""
    return [
        Event(seq=seq, id=id_, kind=DECISION, batch=batch, payload=json.loads(payload))
        for seq, id_, batch, payload in journal.select(_DECISIONS)
    ]


def other_events(journal: Journal) -> list[Event]:
    """Every event that is no decision, in order."""
    kinds = [kind for (kind,) in journal.select("SELECT DISTINCT kind FROM events") if kind != DECISION]
    return journal.events(kinds)


def spending(journal: Journal) -> list[Spending]:
    """What every rollout and every decision of a specialist cost."""
    sql = "SELECT id, role, batch, calls, input_tokens + output_tokens, cost FROM usage ORDER BY id"
    return [Spending(*row) for row in journal.select(sql)]


def changes(journal: Journal) -> Mapping[str, Mapping[str, Any]]:
    """What each candidate changed, by its id."""
    return {payload["id"]: payload for payload in journal.all("candidate")}
