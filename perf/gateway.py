"""What the gateway adds to a model call: latency, and how many calls a second it can carry on one core.

    python perf/gateway.py [--seconds 3] [--connections 64]

An endpoint that answers at once (a process of its own) is called bare, then through the gateway's HTTP server, then
through its core as the sandbox does; and both again as in a run, with call journal, budget and account in SQLite.
The gateway's process is held on one core, callers and endpoint on the others. Ratios are to the bare endpoint in the
same run. Exits with 1 when the HTTP server's added latency reaches 1 ms at the median or it carries fewer than 1,000
calls a second; what SQLite adds in a run is told, not judged.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sigmaloop.graph.spending import JournalAccount
from sigmaloop.memory.journal import Journal
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.gateway.gateway_settings import GatewayLimits, GatewaySettings, Models, SpendingLimit
from sigmaloop.tools.json_types import Json
from sigmaloop.tools.upstream.upstream import HttpUpstream

LATENCY_MS = 1.0
CALLS_A_SECOND = 1_000
ASK: Json = {
    "model": "any",
    "messages": [
        {"role": "system", "content": "Be brief. " * 200},
        {"role": "user", "content": "Where is my order?"},
    ],
    "tools": [{"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}],
}
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "stub",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "On its way. " * 20}}
        ],
        "usage": {"prompt_tokens": 600, "completion_tokens": 60, "total_tokens": 660},
    }
).encode()
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER) + ANSWER


class Endpoint(asyncio.Protocol):
    """Answers every request at once with the same completion: as little of its own as possible."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.index(b"content-length:") + 15
            whole = end + 4 + int(head[at:].split(b"\r\n", 1)[0])
            if len(self.buffer) < whole:
                return
            self.buffer = self.buffer[whole:]
            self.transport.write(RESPONSE)  # type: ignore[attr-defined]


def serve(pipe: Connection, cores: set[int]) -> None:
    """The endpoint's process; sends its port."""
    os.sched_setaffinity(0, cores)

    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(Endpoint, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(forever())


class Caller(asyncio.Protocol):
    """One connection that asks again as soon as it has its answer, until the time is over."""

    def __init__(self, request: bytes, end: float, done: asyncio.Future[None]) -> None:
        self.request, self.end, self.done = request, end, done
        self.times: list[float] = []
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.began = time.perf_counter()
        self.transport.write(self.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        if not head.startswith(b"http/1.1 200"):
            raise SystemExit(f"not an answer: {self.buffer[:300]!r}")
        if len(self.buffer) < end + 4 + int(head[head.index(b"content-length:") + 15 :].split(b"\r\n", 1)[0]):
            return
        self.buffer = b""
        now = time.perf_counter()
        self.times.append(now - self.began)
        if now < self.end:
            self.ask()
        elif not self.done.done():
            self.transport.close()
            self.done.set_result(None)


def call(pipe: Connection, cores: set[int]) -> None:
    """The callers' process: (port, token, connections, seconds) in; (times, seconds) out; None ends it."""
    os.sched_setaffinity(0, cores)
    body = json.dumps(ASK).encode()

    async def load(port: int, token: str, connections: int, seconds: float) -> tuple[list[float], float]:
        loop = asyncio.get_running_loop()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        request = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        began = time.perf_counter()
        callers = [Caller(request, began + seconds, loop.create_future()) for _ in range(connections)]
        for caller in callers:
            await loop.create_connection(lambda caller=caller: caller, "127.0.0.1", port)  # type: ignore[misc]
        await asyncio.gather(*(caller.done for caller in callers))
        return [t for caller in callers for t in caller.times], time.perf_counter() - began

    while (wanted := pipe.recv()) is not None:
        pipe.send(asyncio.run(load(*wanted)))


def in_process(gateway: Gateway, connections: int, seconds: float) -> tuple[list[float], float]:
    """The same load through the core, from threads, as the sandbox's supervisor makes it."""
    began = time.perf_counter()

    def caller(number: int) -> list[float]:
        times = []
        with gateway.lease("target", scope=f"r{number}", seed=number) as lease:
            while (now := time.perf_counter()) < began + seconds:
                lease.complete(ASK)
                times.append(time.perf_counter() - now)
        return times

    with ThreadPoolExecutor(connections) as threads:
        times = [t for listed in threads.map(caller, range(connections)) for t in listed]
    return times, time.perf_counter() - began


def measure(seconds: float, connections: int) -> dict[str, tuple[float, float]]:
    """By variant: the median latency of one caller in ms, and the calls a second of many."""
    cores = sorted(os.sched_getaffinity(0))
    mine, others = {cores[0]}, set(cores[1:]) or {cores[0]}
    context = multiprocessing.get_context("spawn")
    (endpoint, told), (callers, answers) = context.Pipe(), context.Pipe()
    children = [
        context.Process(target=serve, args=(told, others), daemon=True),
        context.Process(target=call, args=(answers, others), daemon=True),
    ]
    for child in children:
        child.start()
    port = endpoint.recv()
    os.sched_setaffinity(0, mine)

    def outside(port: int, token: str) -> Callable[[int, float], tuple[list[float], float]]:
        def load(many: int, long: float) -> tuple[list[float], float]:
            callers.send((port, token, many, long))
            result: tuple[list[float], float] = callers.recv()
            return result

        return load

    figures: dict[str, tuple[float, float]] = {}

    def note(name: str, load: Callable[[int, float], tuple[list[float], float]]) -> None:
        load(4, 0.3)  # connections and code paths are warm
        one, _ = load(1, seconds)
        many, took = load(connections, seconds)
        figures[name] = (1000 * statistics.median(one), len(many) / took)

    note("bare endpoint", outside(port, "x"))
    with TemporaryDirectory() as folder, Journal(Path(folder) / "journal.sqlite") as journal:
        models = Models.named("t", "s")
        bare = GatewaySettings(models=models)
        limited = GatewaySettings(models=models, limits=GatewayLimits(run=SpendingLimit(tokens=2**60)))
        memory: Any = {"call_journal": journal, "account": JournalAccount(journal)}
        for more, settings, options in (("", bare, {}), (", as in a run", limited, memory)):
            upstream = HttpUpstream(f"http://127.0.0.1:{port}/v1", "key", tries=1)
            with Gateway(upstream, settings, **options) as gateway:
                lease = gateway.lease("failure_miner", scope="s", seed=1)
                face = int(lease.base_url.rpartition(":")[2].removesuffix("/v1"))
                note(f"HTTP server{more}", outside(face, lease.token))
                note(f"core{more}", partial(in_process, gateway))
    callers.send(None)
    children[1].join()
    children[0].terminate()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each load lasts")
    parser.add_argument("--connections", type=int, default=64, help="callers at the same time")
    arguments = parser.parse_args()
    figures = measure(arguments.seconds, arguments.connections)
    bare_ms, bare_rate = figures["bare endpoint"]
    print(f"gateway on one core; {arguments.connections} callers for the rate, one for the latency")
    for name, (ms, rate) in figures.items():
        print(
            f"{name:<24} p50 {ms:6.3f} ms  added {ms - bare_ms:6.3f} ms  ratio {ms / bare_ms:5.2f}"
            f"   {rate:7.0f} calls/s  ratio {rate / bare_rate:5.2f}"
        )
    ms, rate = figures["HTTP server"]
    held = ms - bare_ms < LATENCY_MS and rate >= CALLS_A_SECOND
    print(f"{'holds' if held else 'does not hold'}: under {LATENCY_MS:g} ms added, at least {CALLS_A_SECOND:,} calls/s")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
