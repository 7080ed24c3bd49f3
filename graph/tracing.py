"""A run as one tree in LangSmith, or wherever OpenTelemetry sends spans; with tracing off, nothing is made or sent.

The root has the run's own id, so that every resume hangs its nodes below the same one. What a node decided is put on
the node's own run; how the engineer's middleware is stepped is left out.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from langchain_core.callbacks import CallbackManager
from langchain_core.runnables import RunnableConfig
from langchain_core.tracers.langchain import LangChainTracer
from langsmith import Client, RunTree
from langsmith.run_helpers import get_current_run_tree
from langsmith.run_trees import get_cached_client
from langsmith.utils import tracing_is_enabled

from sigmaloop.graph.otel import otel_client
from sigmaloop.graph.services import Services
from sigmaloop.memory.facts import ONE, RecordKind
from sigmaloop.records import Record

FOLDED = (".before_model", ".after_model", ".before_agent", ".after_agent")
"""How the names of middleware steps end: they say nothing that the model's turn beside them does not."""


class Rooted(Record):
    """That the root of a run's tree was sent."""

    at: float = 0.0


ROOTED = RecordKind("traced", Rooted)


class FoldingTracer(LangChainTracer):
    """Leaves out the steps of middleware, which hold nothing below them but routing."""

    def _persist_run_single(self, run: Any) -> None:
        parent = self.run_map.get(str(run.parent_run_id))
        if run.name.endswith(FOLDED) or (parent is not None and parent.extra.get("__disabled")):
            run.extra["__disabled"] = True
        super()._persist_run_single(run)


def note(**metadata: Any) -> None:
    """Add metadata to the run of the node that is working now."""
    run = get_current_run_tree()
    if run is not None:
        run.add_metadata(metadata)


def name_node(name: str, tags: Sequence[str]) -> None:
    """Say in the name and tags of the node's run what it worked on."""
    run = get_current_run_tree()
    if run is not None:
        run.name = name
        run.add_tags(tags)


def leaf(
    parent: RunTree, name: str, outputs: dict[str, Any], *, inputs: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None, tags: Sequence[str] = (), run_type: Any = "chain",
) -> RunTree:  # fmt: skip
    """A finished run below another, such as what a gate measured."""
    child = parent.create_child(
        name=name, run_type=run_type, inputs=inputs or {}, tags=list(tags), extra={"metadata": metadata or {}}
    )
    child.end(outputs=outputs)
    child.post()
    return child


@contextmanager
def traced(services: Services, config: RunnableConfig) -> Iterator[RunnableConfig]:
    """The graph's configuration with a tracer below the run's root; as it is where nothing is traced."""
    client = _client()
    if client is None:
        yield config
        return
    root = _root(services, client)
    tracer = FoldingTracer(client=client)
    tracer.run_map[str(root.id)] = root
    tracer.order_map[root.id] = (root.trace_id, root.dotted_order)
    below = CallbackManager([tracer], inheritable_handlers=[tracer], parent_run_id=root.id)
    try:
        yield {**config, "callbacks": below}
    finally:
        root.end(outputs=_standing(services))
        root.patch()


def _client() -> Client | None:
    """Where runs are sent; None where tracing is off."""
    return otel_client(langsmith=bool(tracing_is_enabled())) or (get_cached_client() if tracing_is_enabled() else None)


def _root(services: Services, client: Client) -> RunTree:
    """The run's own root: sent once, then only brought up to date."""
    journal, settings = services.journal, services.settings
    times = journal.times()
    began = datetime.fromtimestamp(times[0] if times else 0.0, UTC)
    root = RunTree(
        id=_root_id(services.run_id),
        name=f"sigmaloop {settings.benchmark} {services.run_id[:8]}",
        run_type="chain",
        start_time=began,
        inputs=settings.stored(),
        tags=[f"benchmark:{settings.benchmark}", f"policy:{settings.policy}"],
        extra={"metadata": {"run_id": services.run_id, "thread_id": services.run_id, "seed": settings.seed}},
        ls_client=client,
    )
    if journal.load(ROOTED, ONE) is None:
        root.post()
        journal.stamp(ROOTED, ONE, Rooted())
    return root


def _root_id(run_id: str) -> uuid.UUID:
    try:
        return uuid.UUID(run_id)
    except ValueError:
        return uuid.uuid5(uuid.NAMESPACE_OID, run_id)


def _standing(services: Services) -> dict[str, Any]:
    """Where the run stands, with what it has cost."""
    journal = services.journal
    used = list(journal.usage().values())
    standing: dict[str, Any] = {
        "kept_commit": services.versions.main(),
        "batches": journal.newest_batch(),
        "attempts": journal.count("ledger"),
        "tokens": sum(each.tokens for each in used),
        "money": round(sum(each.cost for each in used), 6),
    }
    return {**standing, "certified": bool(journal.count("certificate"))}
