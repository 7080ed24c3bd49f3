"""A run is one tree in LangSmith when tracing is on, the same as spans elsewhere, and nothing is sent when it is off.

Runs are followed in a process of their own, for tracing is switched by the environment; a stand-in for the API on
loopback rebuilds the tree from what it is sent.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import zstandard
from loopback import Asked, serve_json
from processes import environment

from sigmaloop.graph.traced_rollouts import wanted
from sigmaloop.records import Rollout, RolloutKey
from sigmaloop.settings import Settings

PART = re.compile(r'name="(post|patch|feedback)\.([0-9a-f-]+)(?:\.(\w+))?"')
TWICE = """
import sys
from pathlib import Path
from sigmaloop import Run, load_settings

flags = {"batches": 1, "batch_size": 4, "attempts": 4, "certify_trials": 1, "bank_trials": 1, "canaries": 1,
         "harmful_canaries": 1, "upstream": "simulated", "benchmark": "small:TinyHelpdesk", "home": Path(sys.argv[1])}
run = Run.start(load_settings(**flags))
list(run.follow(batches=1))
run = Run.open(run.id, home=run.home)
run.go()
print(run.id)
"""
"""A run that is followed for a batch and then to its end, as after a stop."""


class Collector:
    """A stand-in for the LangSmith API, and for an OpenTelemetry collector, that rebuilds what it was sent."""

    def __init__(self) -> None:
        self.url = ""
        self.paths: list[str] = []
        self.spans = b""
        self.runs: dict[str, dict[str, Any]] = {}
        self.posts: list[str] = []
        self.feedback: list[dict[str, Any]] = []

    def take(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        self.paths.append(asked.path)
        if asked.path.endswith("/v1/traces"):
            self.spans += asked.body
        elif asked.path.endswith("/runs/multipart"):
            packed = asked.headers.get("Content-Encoding") == "zstd"
            body = zstandard.ZstdDecompressor().decompressobj().decompress(asked.body) if packed else asked.body
            self._rebuild(body, asked.headers["Content-Type"].partition("boundary=")[2].strip('"').encode())
        limits = {
            "use_multipart_endpoint": True, "size_limit": 100, "size_limit_bytes": 2_000_000,
            "scale_up_qsize_trigger": 1_000, "scale_up_nthreads_limit": 4, "scale_down_nempty_trigger": 4,
        }  # fmt: skip
        return 200, {"version": "0.12.0", "batch_ingest_config": limits}

    def _rebuild(self, body: bytes, boundary: bytes) -> None:
        for part in body.split(b"--" + boundary):
            head, _, content = part.partition(b"\r\n\r\n")
            named = PART.search(head.decode(errors="replace"))
            if named is None:
                continue
            kind, run_id, field = named.groups()
            value = json.loads(content)
            if kind == "feedback":
                self.feedback.append(value)
                continue
            run = self.runs.setdefault(run_id, {})
            if field is None:
                run.update({name: found for name, found in value.items() if found is not None})
                self.posts += [run_id] * (kind == "post")
            else:
                run[field] = value

    def named(self, start: str) -> list[dict[str, Any]]:
        return [run for run in self.runs.values() if run["name"].startswith(start)]


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    with serve_json(found.take, keep_alive=False) as url:
        found.url = url
        yield found


def run_twice(folder: Path, script: str = TWICE, **env: str) -> str:
    """The run's id."""
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder / "home")], cwd=folder, env=environment(**env),
        check=False, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3_000:]
    return done.stdout.split()[-1]


@pytest.mark.slow
def test_a_run_is_one_tree_with_what_was_decided(tmp_path: Path, collector: Collector) -> None:
    settings = {"LANGSMITH_TRACING": "true", "LANGSMITH_ENDPOINT": collector.url, "LANGSMITH_API_KEY": "ls-loopback"}
    run_id = run_twice(tmp_path, **settings)
    roots = [run for run in collector.runs.values() if not run.get("parent_run_id")]
    assert [root["name"] for root in roots] == [f"sigmaloop small:TinyHelpdesk {run_id[:8]}"], "resumed below one root"
    assert {run["trace_id"] for run in collector.runs.values()} == {run_id}
    assert all(run["parent_run_id"] in collector.runs for run in collector.runs.values() if run.get("parent_run_id"))
    assert len(collector.posts) == len(set(collector.posts))
    assert roots[0]["outputs"]["certified"]
    assert roots[0]["outputs"]["tokens"] > 0
    assert roots[0]["inputs"]["batches"] == 1

    (proposed,) = collector.named("propose A0001")
    about = metadata(proposed)
    assert (about["batch"], about["attempt"]) == (1, "A0001")
    assert {"batch:1", "attempt:A0001", f"cluster:{about['cluster']}"} <= set(proposed["tags"])
    assert len(about["commit"]) == 40
    assert about["tokens"] > 0
    assert next(run["parent_run_id"] for run in collector.named("harness_engineer")) == proposed["id"]
    verdicts = [run for run in collector.runs.values() if "verdict" in metadata(run) and metadata(run).get("gate")]
    assert {run["outputs"]["outcome"] for run in verdicts} <= {"passed", "failed"}
    assert all(run["name"].endswith(metadata(run)["verdict"]) for run in verdicts)
    assert {metadata(run)["worth"] for run in collector.named("canary K")} == {"identical", "harmful"}
    assert all("findings" in run["outputs"] for run in collector.named("canary K"))
    assert {run["name"] for run in collector.named("certificate")} == {"certificate validation", "certificate test"}
    folded = [run["name"] for run in collector.runs.values() if ".before_model" in run["name"]]
    assert folded == []

    assert len(collector.feedback) == len(collector.named("learn"))
    for given in collector.feedback:
        assert given["key"] == "kept"
        assert given["score"] == (given["value"] == "kept")
        assert collector.runs[given["run_id"]]["name"].startswith("learn A")

    rollouts = collector.named("rollout ")
    assert rollouts
    assert {metadata(run)["split"] for run in rollouts} == {"train"}
    assert all(run["outputs"]["reward"] != 1 and run["outputs"]["conversation"] for run in rollouts)


def metadata(run: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (run.get("extra") or {}).get("metadata") or {}
    return found


MENDABLE = TWICE.replace("small:TinyHelpdesk", "small:Mendable")
"""The same without conversations."""


@pytest.mark.slow
def test_spans_go_to_opentelemetry_and_nothing_to_langsmith(tmp_path: Path, collector: Collector) -> None:
    run_twice(tmp_path, MENDABLE, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, LANGSMITH_ENDPOINT=collector.url)
    assert set(collector.paths) == {"/v1/traces"}
    for name in (b"sigmaloop small:Mendable", b"propose A0001", b"gen_ai.operation.name", b"gen_ai.usage.input_tokens"):
        assert name in collector.spans, name


@pytest.mark.slow
def test_nothing_is_sent_when_tracing_is_off(tmp_path: Path, collector: Collector) -> None:
    settings = {"LANGSMITH_TRACING": "false", "LANGSMITH_ENDPOINT": collector.url, "LANGSMITH_API_KEY": "ls-loopback"}
    run_twice(tmp_path, MENDABLE, **settings)
    assert collector.paths == []


@pytest.mark.parametrize("split", ["train", "validation", "test", None])
@pytest.mark.parametrize("reward", [0.0, 1.0])
def test_a_held_out_conversation_is_traced_only_where_that_is_asked(split: Any, reward: float) -> None:
    rollout = Rollout(
        key=RolloutKey(agent="a", task_id="t", trial=1), seed=1, status="ok", reward=reward, split=split
    )  # fmt: skip
    for which in ("all", "failed", "none"):
        named = which == "all" or (which == "failed" and reward == 0)
        assert wanted(rollout, Settings(trace_rollouts=which)) == (named and split == "train")
        assert wanted(rollout, Settings(trace_rollouts=which, trace_held_out=True)) == named
