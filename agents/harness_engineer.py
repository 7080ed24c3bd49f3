"""The harness engineer: an agent with tools that makes one focused change to the one editable file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    AgentState,
    ModelCallLimitMiddleware,
    ModelRequest,
    ModelResponse,
    ToolCallRequest,
    ToolErrorMiddleware,
    hook_config,
)
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.errors import GraphRecursionError
from langsmith import traceable
from pydantic import BaseModel, Field

from sigmaloop.agents.answers import CUT_OFF, JsonObject, UnusableError, Words, cut_off, read_answer
from sigmaloop.agents.brief import Brief, EngineerTools
from sigmaloop.agents.brief_text import brief_prompt
from sigmaloop.agents.model_access import ModelAccess
from sigmaloop.agents.prompt import Prompt
from sigmaloop.agents.specialist import chat_model, model_faults, repair_turn, trace_metadata
from sigmaloop.agents.workbench import WorkingCopy
from sigmaloop.clean_text import clean_line, unseen
from sigmaloop.errors import BadInput, SpecialistError
from sigmaloop.records import ChangeKind, Proposal

CALLS = 20
"""Model calls in one attempt."""
_REPAIRS = 2


class FinishedChange(BaseModel):
    """Hand in the change that the working copy of agent.py holds now. Call this last, alone."""

    hypothesis: Words = Field(description="why this change removes the cause, one or two sentences")
    kind: ChangeKind
    summary: Words = Field(max_length=200, description="what was changed, in one sentence")


class HarnessEngineer:
    """Proposes changes, one attempt at a time."""

    def __init__(self, models: ModelAccess, *, setting: str, calls: int = CALLS) -> None:
        self._models = models
        self._setting = setting
        self._calls = calls

    def propose(self, brief: Brief, tools: EngineerTools, *, scope: str) -> Proposal:
        """One change against the brief's cluster; `scope` is `propose:<candidate id>`.

        Raises SpecialistError with the reason when none was made: nothing changed, nothing handed in, call
        limit. Such an attempt is recorded and costs no rollout. UpstreamError and errors of `tools` pass.
        """
        copy = WorkingCopy(tools)
        about = {"cluster_id": brief.cluster.id, "attempt": brief.attempt}
        extra = trace_metadata("harness_engineer", scope, about)
        change = self._decide(
            brief_prompt(brief, setting=self._setting, calls=self._calls), copy, scope, langsmith_extra=extra
        )
        if not copy.changed:
            raise SpecialistError("the harness engineer handed in an unchanged agent file")
        return Proposal(
            hypothesis=clean_line(change.hypothesis),  # one line: it stands in a commit message above its fields
            kind=change.kind,
            summary=clean_line(change.summary),
            source=copy.source,
        )

    @traceable(
        run_type="chain",
        process_inputs=lambda inputs: {key: inputs[key] for key in ("prompt", "scope") if key in inputs},
    )
    def _decide(self, prompt: Prompt, copy: WorkingCopy, scope: str) -> FinishedChange:
        kept = unseen(copy.parent)  # to quote a line of the file, the engineer has to write what stands there
        with chat_model(self._models, "harness_engineer", scope=scope, keep=kept) as model:
            limit: ModelCallLimitMiddleware[Any, Any] = ModelCallLimitMiddleware(
                run_limit=self._calls, exit_behavior="end"
            )
            agent = create_agent(
                model,
                copy.tools(),
                system_prompt=prompt.system,
                response_format=ToolStrategy(FinishedChange, handle_errors=_not_accepted),
                middleware=[limit, _Calls(), _Repair(), ToolErrorMiddleware(_tool_fault)],
                checkpointer=False,
            )
            # One tool at a time: two edits of one turn are made in the order in which they were asked for.
            # The loop's "sync" durability would be inherited, and fails in a graph that saves no checkpoints.
            config: Any = {
                "max_concurrency": 1,
                "recursion_limit": 20 * self._calls + 50,
                "configurable": {"__pregel_durability": "async"},
            }
            try:
                state = agent.invoke({"messages": [HumanMessage(prompt.user)]}, config)
            except GraphRecursionError as error:
                raise SpecialistError("the harness engineer went round in circles") from error
        change = state.get("structured_response")
        if not isinstance(change, FinishedChange):
            raise SpecialistError(f"the harness engineer handed in nothing within {self._calls} calls")
        return change


class _Calls(AgentMiddleware[Any, Any, Any]):
    """Translates the faults of model calls, and only theirs; asks again for a turn that the token limit cut off."""

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        with model_faults():
            response = handler(request)
        cut = _cut_turn(response)
        if cut is None:
            return response
        again: list[Any] = [*request.messages, *repair_turn(cut, fault=CUT_OFF, tool="one of your tools")]
        with model_faults():
            response = handler(request.override(messages=again))
        if _cut_turn(response) is not None:
            raise SpecialistError("the harness engineer's turns are cut off at the token limit of one answer")
        return response


def _cut_turn(response: ModelResponse[Any]) -> AIMessage | None:
    """The model's turn, if the token limit ended it: half of a change is none."""
    message = response.result[0]
    return message if isinstance(message, AIMessage) and cut_off(message) else None


class _Repair(AgentMiddleware[Any, Any, Any]):
    """Asks again after a turn without a usable tool call, which would otherwise end the attempt."""

    def __init__(self) -> None:
        super().__init__()
        self._left = _REPAIRS

    @hook_config(can_jump_to=["model"])
    def after_model(self, state: AgentState[Any], runtime: Any) -> JsonObject | None:
        message = state["messages"][-1]
        if not isinstance(message, AIMessage) or message.tool_calls or self._left <= 0:
            return None
        self._left -= 1
        try:
            change = read_answer(message, FinishedChange)
        except UnusableError as fault:
            turn = repair_turn(message, fault=f"No tool was called: {fault}.", tool="one of your tools")
            return {"messages": turn[1:], "jump_to": "model"}
        return {"structured_response": change}


def _tool_fault(error: Exception, request: ToolCallRequest) -> str | None:
    """Mistakes of the engineer go back to it; a broken machine ends the attempt."""
    return f"Error: {error}" if isinstance(error, BadInput) else None


def _not_accepted(error: Exception) -> str:
    return f"Error: {error}\nCall FinishedChange once more with the fields corrected."
