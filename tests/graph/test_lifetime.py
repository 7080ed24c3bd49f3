"""A run that cannot be opened leaves nothing open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from made_records import started

from sigmaloop.errors import BadInput, ModelUnavailable
from sigmaloop.eval.benchmark import load_benchmark
from sigmaloop.graph.run import Run
from sigmaloop.graph.services import calls_under_way, make_gateway
from sigmaloop.graph.sessions import open_services
from sigmaloop.memory.facts import FORM, RunStarted
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import RunPaths
from sigmaloop.settings import load_settings
from sigmaloop.tools.versions import Versions


def open_files(folder: Path) -> list[str]:
    """What this process holds open in a folder."""
    places = []
    for number in os.listdir("/proc/self/fd"):
        try:
            places.append(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:
            continue  # the listing itself
    return [place for place in places if place.startswith(str(folder))]


def test_a_missing_key_is_called_a_missing_key_and_leaves_no_journal_open(home: Path) -> None:
    settings = load_settings(home=home, benchmark="small:TinyHelpdesk", upstream="openai")
    paths = RunPaths(home, "run")
    paths.make()
    with Journal(paths.journal) as journal:
        fingerprint = load_benchmark(settings.benchmark).fingerprint()
        journal.write(
            RunStarted(
                settings=settings.stored(),
                benchmark=fingerprint,
                models=settings.models(),
                prompts={},
                simulated=False,
                tier="none",
                form=FORM,
            )
        )
    with pytest.raises(ModelUnavailable, match="OPENAI_API_KEY is not set"), open_services("run", home=home):
        pass
    assert open_files(paths.root) == []


def test_an_endpoint_of_ones_own_needs_no_key() -> None:
    make_gateway(load_settings(upstream="openai", base_url="http://127.0.0.1:1/v1"), journal=None).stop()


@pytest.mark.parametrize(("concurrency", "calls"), [(4, 256), (1_000, 1_000)])
def test_as_many_calls_may_be_under_way_as_rollouts(concurrency: int, calls: int) -> None:
    settings = load_settings(upstream="simulated", concurrency=concurrency)
    assert calls_under_way(settings) == calls
    with make_gateway(settings, journal=None) as gateway:
        assert gateway.under_way == calls


def test_a_run_of_another_version_is_refused_with_what_to_do(home: Path) -> None:
    settings = load_settings(home=home, benchmark="small:TinyHelpdesk", upstream="simulated")
    paths = RunPaths(home, "old")
    paths.make()
    Versions(paths.versions).begin(settings.agent_source(), "baseline")
    with Journal(paths.journal) as journal:
        stored = started(settings, form=FORM - 1)
        journal.write(stored)
        journal.append("baseline", "baseline:x", {"commit": "x", "units": 1, "tasks": 1})
    for read in (lambda: Run(home, "old").summary(), lambda: Run(home, "old").settings, lambda: Run(home, "old").go()):
        with pytest.raises(BadInput, match=r"another version of SigmaLoop.*start a new run"):
            read()
