"""The loop as a graph: every node and every edge, on one screen.

`graph` is what `langgraph dev` serves; the command line and notebooks compile the same builder with their own
checkpointer. The drawing in docs/architecture.md is made from this file.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from sigmaloop.graph import routing
from sigmaloop.graph.checks import check_state
from sigmaloop.graph.display import display
from sigmaloop.graph.events import Event
from sigmaloop.graph.faults import Ending, Work, outlive
from sigmaloop.graph.nodes import attempt, conclude, observe
from sigmaloop.graph.nodes.certify import certify
from sigmaloop.graph.nodes.screen import screen
from sigmaloop.graph.outage import pausing
from sigmaloop.graph.sessions import services_for_node
from sigmaloop.graph.state import LoopState, LoopUpdate, RunContext, RunForm, RunInput, RunOutput
from sigmaloop.graph.traced_news import trace_event, trace_node
from sigmaloop.graph.tracing import note
from sigmaloop.graph.unattended import signs_of_life

ENDINGS: dict[str, Ending] = {
    "mine": observe.mine_nothing,
    "propose": attempt.propose_nothing,
    "regression_gate": attempt.stop_at_regression,
    "validation_gate": attempt.stop_at_validation,
    "review": attempt.stop_at_review,
    "learn": conclude.learn_unread,
}
"""How a node's work ends that died twice of one exception; the other nodes raise it each time."""


def build_graph(
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> CompiledStateGraph[LoopState, RunContext, RunInput, RunOutput]:
    """The compiled loop; without a checkpointer for servers that bring their own."""
    loop = StateGraph(LoopState, context_schema=RunForm, input_schema=RunInput, output_schema=RunOutput)
    for work in (
        observe.baseline, observe.simulate, observe.mine, observe.cluster,
        attempt.propose, screen, attempt.regression_gate, attempt.validation_gate, attempt.pause, attempt.review,
        conclude.keep, conclude.promote, conclude.revert, conclude.learn, certify,
    ):  # fmt: skip
        loop.add_node(work.__name__, _node(work))

    loop.add_edge(START, "baseline")
    loop.add_edge("baseline", "simulate")
    loop.add_conditional_edges("simulate", routing.to_miners, ["mine", "cluster"])
    loop.add_edge("mine", "cluster")
    loop.add_conditional_edges(
        "cluster",
        routing.after_cluster,
        {"fix": "propose", "regroup": "screen", "next_batch": "simulate", "finished": "certify"},
    )
    loop.add_edge("propose", "screen")
    loop.add_conditional_edges(
        "screen",
        routing.after_screen,
        {"redraft": "propose", "ready": "regression_gate", "nothing": "revert", "ungated": "keep"},
    )
    loop.add_conditional_edges(
        "regression_gate",
        routing.after_gate,
        {"passed": "validation_gate", "failed": "revert", "indecisive": "pause"},
    )
    loop.add_conditional_edges(
        "validation_gate", routing.after_gate, {"passed": "review", "failed": "revert", "indecisive": "pause"}
    )
    loop.add_conditional_edges("pause", routing.after_pause, ["regression_gate", "validation_gate"])
    loop.add_conditional_edges("review", routing.after_review, {"approved": "keep", "declined": "revert"})
    loop.add_edge("keep", "promote")
    loop.add_edge("promote", "learn")
    loop.add_edge("revert", "learn")
    loop.add_conditional_edges(
        "learn",
        routing.after_learn,
        {"try_again": "propose", "regroup": "screen", "next_batch": "simulate", "finished": "certify"},
    )
    loop.add_edge("certify", END)
    return loop.compile(checkpointer=checkpointer, name="sigmaloop")


def _node(work: Work) -> Callable[..., LoopUpdate]:
    """A graph node around `work`: opens the run's services and holds the home's lock while it works.

    A state that does not fit is refused before; an exception that ends an attempt twice becomes its outcome.
    """

    guarded = pausing(wraps(work)(partial(outlive, work, ENDINGS.get(work.__name__))))

    def node(state: LoopState, config: RunnableConfig, runtime: Runtime[RunContext]) -> LoopUpdate:
        with (
            services_for_node(
                state, thread_id=config["configurable"]["thread_id"], context=runtime.context
            ) as services,
            signs_of_life(services) as feel,
        ):

            def emit(event: Event) -> None:
                runtime.stream_writer(event.model_dump(mode="json"))
                feel(event)
                trace_event(services, event)

            check_state(work.__name__, state, services)
            update = guarded(state, services, emit)
            note(run_id=services.run_id, batch=state.get("batch", 0), reason=update.get("reason", ""))
            trace_node(services, work.__name__, state, update)
            # Miners and drafting engineers work side by side and append nothing: one value a step is all that a
            # channel takes.
            if work.__name__ == "mine" or "draft_id" in state:
                return update
            return {**update, **display(services, state, update), "journal": services.journal.length()}

    node.__name__ = node.__qualname__ = work.__name__
    node.__doc__ = work.__doc__
    return node


graph = build_graph()
