"""Records, lessons and prompt texts can be read without loading a model client."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"langchain", "langchain_core", "langchain_openai", "langgraph", "langsmith", "openai"}
MOST_MODULES = 400
"""Pydantic, the standard library and ours; with LangChain there are more than 1,500."""


@pytest.mark.parametrize("module", ["brief", "brief_text", "lessons", "model_access", "prompt", "trace_text"])
def test_reading_needs_no_model_client(module: str) -> None:
    code = f"import json, sys, sigmaloop.agents.{module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert not HEAVY & {name.split(".")[0] for name in loaded}
    assert len(loaded) < MOST_MODULES
