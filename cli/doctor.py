"""`sigmaloop doctor`: is this machine ready, and does its sandbox hold? Every line is something tried."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import click

from sigmaloop.cli.options import SettingsCommand, config_option, json_option, settings_options
from sigmaloop.errors import SandboxError, SigmaLoopError

State = Literal["ok", "note", "FAIL"]
_FLAGS = (
    *("home", "sandbox", "concurrency", "benchmark", "upstream", "base_url"),
    *("target_model", "specialist_model", "embedder", "temperature", "max_tokens", "model_timeout"),
)
_LEAST_BYTES = 1_000_000_000


class Finding(NamedTuple):
    """One line of the report."""

    name: str
    state: State
    detail: str


@click.command(cls=SettingsCommand)
@config_option
@json_option
@click.option("--endpoint", is_flag=True, help="Ask only the models: one line for each role.")
@settings_options(only=_FLAGS)
def doctor(*, config: Path | None, as_json: bool, endpoint: bool, **flags: Any) -> None:
    """Try everything that a run needs, then attack the sandbox with harmless probes. Exits 1 if something fails."""
    from sigmaloop.settings import load_settings

    began = time.monotonic()
    settings = load_settings(config=config, **flags)
    found: list[Finding] = []
    for finding in _endpoints(settings) if endpoint else _examine(settings):
        found.append(finding)
        if not as_json:
            colour = {"ok": "green", "note": "yellow", "FAIL": "red"}[finding.state]
            click.echo(click.style(f"{finding.state:<5}", fg=colour) + f"{finding.name:<14} {finding.detail}")
    failed = [finding for finding in found if finding.state == "FAIL"]
    seconds = round(time.monotonic() - began, 2)
    if as_json:
        output = {"ok": not failed, "seconds": seconds, "findings": [finding._asdict() for finding in found]}
        click.echo(json.dumps(output, indent=2))
    else:
        click.echo(f"{len(found) - len(failed)} of {len(found)} fine, {seconds:.1f} s")
    sys.exit(1 if failed else 0)


def _examine(settings: Any) -> Iterator[Finding]:
    from sigmaloop.graph.services import make_supervisor

    yield from _machine(settings)
    yield _tried("gateway", _gateway)
    yield _tried("model", lambda: _model(settings))
    supervisor = make_supervisor(settings)
    try:
        supervisor.start()
        passed = f"; not {'; not '.join(supervisor.passed_over)}" if supervisor.passed_over else ""
        yield Finding("sandbox", "FAIL" if supervisor.tier == "none" else "ok", f"{supervisor.tier}{passed}")
        yield _gaps(supervisor)
        yield _tried("agent", lambda: _agent(supervisor))
        yield from _canaries(supervisor)
    except SandboxError as error:
        yield Finding("sandbox", "FAIL", str(error))
    finally:
        supervisor.stop()


def _tried(name: str, probe: Callable[[], tuple[State, str]]) -> Finding:
    try:
        return Finding(name, *probe())
    except SigmaLoopError as error:
        return Finding(name, "FAIL", str(error))


def _machine(settings: Any) -> Iterator[Finding]:
    """What needs no process of its own."""
    from sigmaloop.eval.crowding import crowding
    from sigmaloop.settings import secret_names
    from sigmaloop.tools.sandbox.child.wall import landlock, seccomp
    from sigmaloop.tools.sandbox.readable_paths import readable_paths
    from sigmaloop.tools.sandbox.tiers import tiers
    from sigmaloop.tools.versions import Versions

    version = ".".join(map(str, sys.version_info[:3]))
    user = f"user id {os.geteuid()}" + (
        " (root: its privileges are dropped inside the sandbox)" if os.geteuid() == 0 else ""
    )
    yield Finding("python", "ok", f"{version}, {sys.executable}, {user}")
    abi = landlock.version()
    yield Finding("landlock", "ok" if abi else "note", f"ABI {abi}" if abi else "not in this kernel, or switched off")
    known = tiers.probe("landlock", executable=sys.executable)
    names = f"{len(seccomp.FORBIDDEN)} calls refused, {len(seccomp.CONDITIONS)} allowed in part, {seccomp.machine()}"
    yield Finding("seccomp", "ok" if known.usable else "note", names if known.usable else known.why)
    found = readable_paths()
    bwrap = tiers.probe("bubblewrap", executable=sys.executable, roots=found.roots)
    yield Finding("bubblewrap", "ok" if bwrap.usable else "note", bwrap.why)
    yield _bytecode(found.packages)
    held = secret_names()
    detail = "hidden from agents: " + ", ".join(held) if held else "none in the environment"
    yield Finding("secrets", "ok", detail)
    yield _tried("git", lambda: (Versions.check_git(), ("ok", "works"))[1])  # type: ignore[func-returns-value]
    yield _disk(settings.home)
    crowded = crowding(settings.concurrency)
    yield Finding("cores", "note" if crowded else "ok", crowded or f"carry concurrency {settings.concurrency}")


def _bytecode(packages: tuple[str, ...]) -> Finding:
    """Without it every start of a client costs a second or two."""
    bare = [
        name
        for folder in packages
        for name in ("openai", "langchain_core", "pydantic")
        if (Path(folder) / name).is_dir() and not list((Path(folder) / name / "__pycache__").glob("*.pyc"))
    ]
    if bare:
        return Finding("bytecode", "note", f"not compiled: {', '.join(bare)}; `python -m compileall` on {packages[0]}")
    return Finding("bytecode", "ok", "packages are compiled")


def _disk(home: Path) -> Finding:
    place = next(p for p in (home.absolute(), *home.absolute().parents) if p.exists())
    free = shutil.disk_usage(place).free
    if not os.access(place, os.W_OK):
        return Finding("disk", "FAIL", f"{place} cannot be written; choose another --home")
    state: State = "ok" if free >= _LEAST_BYTES else "FAIL"
    return Finding("disk", state, f"{free / 1e9:.1f} GB free at {place}")


def _gateway() -> tuple[State, str]:
    """One call through the loopback server to the simulated model, with the official client."""
    import openai

    from sigmaloop.graph.services import make_gateway
    from sigmaloop.settings import load_settings

    gateway = make_gateway(load_settings(upstream="simulated"), journal=None)
    try:
        with gateway.lease("target", scope="doctor", seed=0) as lease:
            client = openai.OpenAI(base_url=lease.base_url, api_key=lease.token, max_retries=0, timeout=5)
            seconds = []
            for _ in range(3):
                began = time.perf_counter()
                client.chat.completions.create(model="any", messages=[{"role": "user", "content": "Hello"}])
                seconds.append(time.perf_counter() - began)
            client.close()
    except openai.OpenAIError as error:
        return "FAIL", f"no answer through the loopback server: {error}"
    finally:
        gateway.stop()
    return "ok", f"round trip {1000 * min(seconds):.1f} ms over loopback"


def _model(settings: Any) -> tuple[State, str]:
    """The models of target and specialists, as a run would ask them."""
    from sigmaloop.graph.endpoints import roles_of
    from sigmaloop.graph.prepare import check_models
    from sigmaloop.tools.gateway.prices import prices_of

    if settings.simulated:
        return "ok", "the simulated model; set OPENAI_API_KEY or --base-url for a real one"
    found = check_models(settings, *roles_of(settings))
    names = " and ".join(dict.fromkeys(one.model.model for one in found))
    changes = [f"{one.model.model}: {'; '.join((*one.changes, *one.notes))}" for one in found if one.changes]
    told = f"{names} answer{'; ' if changes else ''}{'; '.join(changes)}"
    prices = prices_of(settings)
    if prices is not None:
        return "note" if changes else "ok", f"{told}; {prices.input:g} in, {prices.output:g} out a million tokens"
    return "note", f"{told}; prices are unknown (set price_input, price_output), so costs are, too"


def _endpoints(settings: Any) -> Iterator[Finding]:
    """A line for each role: who answers it, and how it has to be asked."""
    from sigmaloop.endpoints import TABLES
    from sigmaloop.graph.endpoints import same_words

    asked: dict[str, Finding] = {}
    for role in TABLES:
        if settings.simulated:
            yield Finding(role, "ok", f"{settings.role(role).model}, in this process")
            continue
        words = same_words(settings.role(role))
        if words in asked:
            first = asked[words]
            yield Finding(role, first.state, f"as {first.name}: {first.detail}")
            continue
        if role == "embedding" and settings.embedder == "hash-v1":
            yield Finding(role, "ok", "not asked: embedder hash-v1 needs no model")
            continue
        asked[words] = _tried(role, lambda role=role: _endpoint(settings, role))  # type: ignore[misc]
        yield asked[words]._replace(name=role)


def _endpoint(settings: Any, role: Any) -> tuple[State, str]:
    from sigmaloop.graph.endpoints import probe_role
    from sigmaloop.tools.gateway.prices import prices_of

    found = probe_role(settings, role)
    model = found.model
    key = f"key in {model.key_env} ({model.auth})" if model.auth != "none" else "no key"
    prices = prices_of(settings, role)
    parts = [
        f"{model.model} at {model.base_url}, {key}",
        f"first answer in {found.seconds:.1f} s, {found.requests} requests",
        *(found.changes or ("takes every parameter",)),
        *found.notes,
        f"{prices.input:g} in, {prices.output:g} out a million tokens" if prices else "prices are unknown",
    ]
    return "note" if found.changes or found.notes or prices is None else "ok", "; ".join(parts)


def _agent(supervisor: Any) -> tuple[State, str]:
    """An honest agent inside the sandbox: interpreter and packages can be read there."""
    from sigmaloop.tools.sandbox.dry_run import dry_run

    source = (
        "import asyncio, decimal, json, re, sqlite3, ssl\nimport openai\n"
        "def run(session):\n    session.complete([])\n    asyncio.run(asyncio.sleep(0))\n    session.say('x')\n"
    )
    tried = dry_run(supervisor, source, instructions="", tools=[], opening="")
    return ("ok", "runs in the sandbox, with its packages") if tried.ok else ("FAIL", tried.detail)


def _gaps(supervisor: Any) -> Finding:
    """What this sandbox leaves open; see docs/threat-model.md."""
    return Finding("left open", "note", "; ".join(supervisor.gaps))


def _canaries(supervisor: Any) -> Iterator[Finding]:
    from sigmaloop.tools.sandbox.probes.attacks import CANARIES
    from sigmaloop.tools.sandbox.probes.probe import escapes

    through = []
    for attack in CANARIES:
        escaped, returned = escapes(attack, supervisor)
        if escaped:
            through.append(attack.name)
            yield Finding("canary", "FAIL", f"{attack.name}: got through ({returned[:80]})")
    state: State = "FAIL" if through else "ok"
    yield Finding("self-test", state, f"{len(CANARIES) - len(through)} of {len(CANARIES)} attacks were stopped")
