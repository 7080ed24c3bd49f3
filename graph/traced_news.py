"""What happens in a run, as runs of its tree: a gate's figures, a canary, a certificate, and feedback on an attempt."""

from __future__ import annotations

from typing import Any

from langsmith import RunTree
from langsmith.run_helpers import get_current_run_tree

from sigmaloop.graph.events import CanaryJudged, CertificateMade, Event, Learned, VerdictGiven
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopState, LoopUpdate
from sigmaloop.graph.tracing import leaf, name_node, note
from sigmaloop.records import REWARD_MICROS
from sigmaloop.report.decisions import DecisionMade


def trace_event(services: Services, event: Event) -> None:
    """Put an event that states a result below the node's run; others, and all with tracing off, are passed over."""
    node = get_current_run_tree()
    if node is None:
        return
    if isinstance(event, VerdictGiven):
        found = event.verdict
        about = {"candidate_id": found.candidate_id, "gate": found.gate, "verdict": found.outcome}
        name = f"{found.gate} {found.candidate_id}: {found.outcome}"
        leaf(node, name, found.model_dump(mode="json"), metadata=about, tags=[found.outcome])
    elif isinstance(event, CanaryJudged):
        made = services.journal.find(DecisionMade, f"{DecisionMade.kind}:{event.id}")
        findings = made.decision.model_dump(mode="json", include={"findings", "reason"}) if made else {}
        outputs = {"outcome": event.outcome, "stage": event.stage, **findings}
        about = {"candidate_id": event.id, "worth": event.worth, "verdict": event.outcome}
        leaf(node, f"canary {event.id} {event.worth}: {event.outcome}", outputs, metadata=about, tags=["canary"])
    elif isinstance(event, CertificateMade):
        found_on = event.certificate
        outputs = found_on.model_dump(mode="json", exclude={"tasks"})
        leaf(node, f"certificate {found_on.split}", outputs, metadata={"agent": found_on.agent}, tags=["certificate"])
    elif isinstance(event, Learned):
        _rate(services, node, event)


def trace_node(services: Services, node: str, state: LoopState, update: LoopUpdate) -> None:
    """Say on the node's run what it worked on, what came out and what was spent so far."""
    if get_current_run_tree() is None:
        return
    after: dict[str, Any] = {**state, **update}
    about = {
        "batch": after.get("batch", 0),
        "attempt": after.get("candidate_id") or "",
        "cluster": after.get("cluster_id") or "",
        "task": after.get("task_id") or "",
    }
    tags = [f"{name}:{value}" for name, value in about.items() if value]
    outcome = str(update.get("outcome") or "")
    subject = about["task"] or about["attempt"] or (f"batch {about['batch']}" if about["batch"] else "")
    name_node(" ".join(filter(None, (node, subject))) + (f": {outcome}" if outcome else ""), [*tags, outcome])
    used = list(services.journal.usage().values())
    note(
        **about,
        commit=after.get("incumbent") or after.get("agent") or "",
        score=after.get("best_micros", 0) / REWARD_MICROS / max(1, after.get("best_tasks", 1)),
        tokens=sum(each.tokens for each in used),
        money=sum(each.cost for each in used),
    )


def _rate(services: Services, node: RunTree, event: Learned) -> None:
    """Kept or rejected, as feedback on the run that concludes the attempt; spans have none."""
    client = node.client
    if client.otel_exporter is not None:
        return
    comment = event.reason if event.gate is None else f"{event.gate}: {event.reason}"
    client.create_feedback(
        node.id,
        "kept",
        score=float(event.outcome == "kept"),
        value=event.outcome,
        comment=f"{event.id} {comment}",
        trace_id=node.trace_id,
        stop_after_attempt=1,
    )
