"""Kept calls: whole, each message once, and readable after a kill."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gateways import open_gateway
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.errors import StoreError
from sigmaloop.tools.gateway.call_log import TracedCall, TraceFile, read_calls
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.upstream.scripted import ScriptedModel


def traced_gateway(traces: TraceFile, model: Any = None, **options: Any) -> Gateway:
    model = model or ScriptedModel(["Hello."], repeat=True)
    return open_gateway(model, traces=traces, **options)


def test_what_went_up_and_came_back_is_kept_without_secrets(tmp_path: Path, call_journal: Any) -> None:
    model = ScriptedModel(["It is sk-12345678."], repeat=True)
    path = tmp_path / "calls.traces"
    for _ in range(2):  # the second process is answered by the journal: nothing new went up
        with traced_gateway(TraceFile(path), model, redact=["sk-12345678"], call_journal=call_journal) as gateway:
            lease = gateway.lease("target", scope="rollout:1", seed=3)
            lease.complete({"messages": [{"role": "user", "content": "My key is sk-12345678"}]})
    (call,) = read_calls(path)
    assert (call.scope, call.index, call.role) == ("rollout:1", 0, "target")
    assert call.request == {**model.requests[0], "messages": [{"role": "user", "content": "My key is [secret]"}]}
    assert call.answer["choices"][0]["message"]["content"] == "It is [secret]."


def test_a_message_that_is_sent_again_is_not_stored_again(tmp_path: Path) -> None:
    path, sent = tmp_path / "calls.traces", 0
    messages: list[dict[str, Any]] = [{"role": "system", "content": " ".join(f"Rule {n}." for n in range(2000))}]
    with traced_gateway(TraceFile(path)) as gateway:
        for scope in "ab":
            lease = gateway.lease("target", scope=scope, seed=1)
            for turn in range(40):
                asked = [*messages, *({"role": "user", "content": f"turn {n}: {n * n}"} for n in range(turn + 1))]
                lease.complete({"messages": asked})
                sent += len(json.dumps(asked))
    assert path.stat().st_size < sent / 20
    calls = list(read_calls(path, scope="b"))
    assert [call.index for call in calls] == list(range(40))
    assert calls[-1].request["messages"][0] == messages[0]
    assert len(calls[-1].request["messages"]) == 41


def test_many_threads_keep_their_calls(tmp_path: Path) -> None:
    path = tmp_path / "calls.traces"
    with traced_gateway(TraceFile(path)) as gateway:

        def play(number: int) -> None:
            lease = gateway.lease("target", scope=f"r{number}", seed=1)
            for turn in range(5):
                lease.complete({"messages": [{"role": "user", "content": f"{number % 3} {turn}"}]})

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(play, range(32)))
    calls = list(read_calls(path))
    assert len({(call.scope, call.index) for call in calls}) == len(calls) == 160


def keep(path: Path, *texts: str) -> None:
    traces = TraceFile(path)
    for index, text in enumerate(texts):
        request = {"messages": [{"role": "user", "content": text}], "model": "m"}
        traces.keep(scope="s", index=index, role="target", request=request, answer={"said": text})
    traces.close()


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(0, 400))
def test_a_file_cut_anywhere_keeps_what_was_whole_and_goes_on(tmp_path_factory: Any, cut: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "calls.traces"
    keep(path, "one", "two", "three")
    whole = list(read_calls(path))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - cut])
    left = list(read_calls(path))
    assert left == whole[: len(left)]
    keep(path, "one", "four")
    assert [call.answer["said"] for call in read_calls(path)] == [*(c.answer["said"] for c in left), "one", "four"]
    assert all(isinstance(call, TracedCall) for call in left)


def test_a_damaged_part_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "calls.traces"
    keep(path, "one" * 50)
    data = bytearray(path.read_bytes())
    data[30] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(StoreError, match="is damaged"):
        list(read_calls(path))
