"""The agents of examples/agents run in the sandbox: a tool call, a sentence, the end; each adapted in a few lines."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from sigmaloop.tools.changes.edits import check_agent
from sigmaloop.tools.sandbox.agent_package import take_package
from sigmaloop.tools.sandbox.dry_run import DryRun, dry_run
from sigmaloop.tools.sandbox.supervisor import Supervisor

AGENTS = Path(__file__).parent.parent / "examples" / "agents"
NEEDS = {
    "langgraph_graph.py": "langgraph",
    "create_agent.py": "langchain",
    "openai_agents_sdk.py": "openai-agents",
    "async_run.py": "openai",
}
ADAPTATION = 15
TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Look an order up.",
        "parameters": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
    },
}


def tried(supervisor: Supervisor, source: str) -> DryRun:
    return dry_run(supervisor, source, instructions="Be kind.", tools=[TOOL], opening="Where is my order?")


def made(package: bool = False) -> Supervisor:
    folder = AGENTS / "prompt_file"
    taken = take_package([folder], edited=folder / "prompt.md", driver=folder / "driver.py") if package else None
    return Supervisor(step_seconds=30, rollout_seconds=60, cpu_seconds=30, max_steps=20, package=taken)


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with made() as supervisor:
        yield supervisor


@pytest.mark.parametrize("name", NEEDS)
def test_an_agent_of_a_framework_runs(supervisor: Supervisor, name: str) -> None:
    try:
        metadata.distribution(NEEDS[name])
    except metadata.PackageNotFoundError:
        pytest.skip(f"{NEEDS[name]} is not installed")
    source = (AGENTS / name).read_text(encoding="utf-8")
    check_agent(source, name)
    ran = tried(supervisor, source)
    assert ran.ok, ran.detail
    assert [line.partition("(")[0] for line in ran.transcript if line.startswith("tool")] == ["tool look_up"]
    assert ran.transcript[-1].startswith("said: I have looked into it.")
    assert ran.first_request is not None
    assert [message["role"] for message in ran.first_request["messages"]] == ["system", "user"]


@pytest.mark.parametrize("name", [*NEEDS, "prompt_file/driver.py"])
def test_what_is_added_to_an_agent_fits_into_a_few_lines(name: str) -> None:
    tree = ast.parse((AGENTS / name).read_text(encoding="utf-8"))
    run = next(node for node in tree.body if getattr(node, "name", "") == "run")
    assert run.end_lineno is not None
    assert run.end_lineno - run.lineno + 1 <= ADAPTATION


def test_a_prompt_file_changes_what_the_model_is_told() -> None:
    text = (AGENTS / "prompt_file" / "prompt.md").read_text(encoding="utf-8")
    with made(package=True) as supervisor:
        for prompt in (text, text + "- Always give the order's number.\n"):
            ran = tried(supervisor, prompt)
            assert ran.ok, ran.detail
            assert ran.first_request is not None
            assert ran.first_request["messages"][0]["content"] == f"Be kind.\n\n{prompt}"
