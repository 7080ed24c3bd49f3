"""An agent that is a folder: checked before a run, part of its identity, kept through a resume."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.agents.workbench import WorkingCopy
from sigmaloop.errors import BadInput, InadmissibleChange
from sigmaloop.graph.agent_files import check_own, form_of, package_of
from sigmaloop.graph.briefing import tools_for
from sigmaloop.graph.history import started_of
from sigmaloop.graph.program import read_program
from sigmaloop.graph.proposing import admit
from sigmaloop.graph.run import Run
from sigmaloop.graph.sessions import open_services
from sigmaloop.graph.standalone import score_file
from sigmaloop.memory.evals import EvalStarted, eval_journals
from sigmaloop.memory.facts import Briefed
from sigmaloop.memory.journal import Journal
from sigmaloop.records import Candidate, agent_hash
from sigmaloop.settings import Settings, load_settings

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "agents" / "prompt_file"
RULE = "- Read the order again before you change it.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "mine"
    shutil.copytree(EXAMPLE, place, ignore=shutil.ignore_patterns("__pycache__"))
    return place


def given(home: Path, folder: Path, **others: Any) -> Settings:
    named = {"edit": folder / "prompt.md", "driver": folder / "driver.py", "agent_packages": (folder,), **others}
    return load_settings(home=home, benchmark="small:TinyHelpdesk", upstream="simulated", **named)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"agent_packages": None}, r"lies outside of the agent's package; give the folder with --agent-package"),
        ({"driver": None}, r"prompt.md is no program; name the file of the package .* with --driver FILE"),
        ({"edit": None}, r"--driver runs beside a file that changes; name that one with --edit"),
        ({"agent": Path("other.py")}, r"both name the file that changes; give one"),
        ({"driver": Path("missing.py")}, r"driver missing.py cannot be read"),
    ],
)
def test_what_does_not_go_together_is_named(home: Path, folder: Path, others: dict[str, Any], message: str) -> None:
    settings = given(home, folder, **others)
    with pytest.raises(BadInput, match=message):
        check_own(settings, settings.agent_source())


def test_a_driver_without_run_and_a_prompt_that_does_not_parse_are_refused(home: Path, folder: Path) -> None:
    (folder / "driver.py").write_text("def go(session): pass\n")
    settings = given(home, folder)
    with pytest.raises(BadInput, match=r"driver.py \(the driver\): it has no top-level `def run"):
        check_own(settings, settings.agent_source())
    (folder / "prompt.yaml").write_text("a: [1\n")
    settings = given(home, folder, edit=folder / "prompt.yaml")
    with pytest.raises(BadInput, match=r"prompt.yaml: .*not valid YAML"):
        check_own(settings, settings.agent_source())


def test_typescript_is_for_benchmarks_that_run_the_agent_themselves(home: Path, folder: Path) -> None:
    (folder / "agent.ts").write_text("export const a = 1\n")
    settings = load_settings(home=home, agent=folder / "agent.ts")
    with pytest.raises(BadInput, match=r"agent.ts is TypeScript.*hosts_agent = True"):
        check_own(settings, settings.agent_source())
    assert check_own(settings, settings.agent_source(), hosted=True).kind == "foreign"


def test_the_benchmark_and_the_runs_are_not_copied_into_the_package(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "mybench.py").write_text("class B: ...\n")
    (folder / "runs").mkdir()
    (folder / "runs" / "journal").write_text("")
    monkeypatch.syspath_prepend(str(folder))
    settings = given(folder / "runs", folder).model_copy(update={"benchmark": "mybench:B"})
    package = package_of(settings)
    assert package is not None
    copied = sorted(path.name for path in Path(package.folders[0]).iterdir())
    assert copied == ["conversation.py", "driver.py", "prompt.md"]


def test_a_prompt_file_is_scored(home: Path, folder: Path) -> None:
    settings = given(home, folder, record_calls=True)
    summary = score_file(settings, split="train", limit=1, trials=1)
    assert summary.statuses == {"ok": 1}
    assert summary.usage.calls > 1
    (recorded,) = eval_journals(home).values()
    package = package_of(settings)
    assert package is not None
    with Journal(recorded, readonly=True) as journal:
        (started,), (rollout,) = journal.read(EvalStarted), journal.rollouts()
    assert started.agent == rollout.key.agent == agent_hash(settings.agent_source(), package.digest)


def test_the_owners_words_lie_beside_the_edited_file_and_are_no_part_of_the_package(home: Path, folder: Path) -> None:
    settings = given(home, folder)
    before = package_of(settings)
    (folder / "program.md").write_text("Mind the tone.\n")
    after = package_of(settings)
    assert before is not None
    assert after is not None
    assert before.digest == after.digest
    assert read_program(settings).text == "Mind the tone.\n"
    assert read_program(given(home, folder, edit=folder / "program.md")).text == "", "then it is the agent itself"


def test_a_run_keeps_its_package_and_refuses_another(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    settings = given(home, folder, edit=Path("prompt.md"), driver=Path("driver.py"), agent_packages=(Path(),))
    run = Run.start(settings)
    with Journal(run.paths.journal) as journal:
        digest = started_of(journal).package
    package = package_of(settings)
    assert package is not None
    assert package.digest == digest
    monkeypatch.chdir(home.parent)
    (folder / "prompt.md").write_text("the user works on it meanwhile\n")
    with open_services(run.id, home=home) as services:
        parent = services.versions.source(services.versions.main())
        assert services.identity(parent) == agent_hash(parent, digest) != agent_hash(parent)
        assert services.engine.identity(parent) == services.identity(parent)
        assert services.form == form_of(settings)
        assert services.versions.file(services.versions.main()) == "prompt.md"
        assert services.versions.log()[0].evidence == {"Package": digest}

        shown = Briefed(batch=1, candidate_id="A0001", text="")
        copy = WorkingCopy(tools_for(services, lambda _event: None, shown, services.versions.main(), parent))
        assert "+++ b/prompt.md" in copy.replace_text("- Say what", RULE + "- Say what")
        assert RULE.strip() in copy.dry_run()
        admit(services, _candidate(services, "A0001", copy.source), parent)
        named = parent + f"- For {next(iter(services.tasks))}: refund.\n"
        with pytest.raises(InadmissibleChange, match="names a task"):
            admit(services, _candidate(services, "A0002", named), parent)
        made = services.versions.diff(services.versions.main(), _commit(services, "A0001"))
        assert made.startswith("--- a/prompt.md\n+++ b/prompt.md\n")
    (folder / "conversation.py").write_text("def answered(session, messages):\n    return 'always'\n")
    with pytest.raises(BadInput, match=r"the agent's package .*mine has changed since run .*; put it back as it was"):
        run.go()


def _candidate(services: Any, name: str, source: str) -> Candidate:
    main = services.versions.main()
    return Candidate(
        id=name, batch=1, attempt=1, cluster_id="C001", parent=main, hypothesis="h", kind="prompt", summary="s",
        diff="d", commit=services.versions.record(name, main, source, "change"), agent=services.identity(source),
    )  # fmt: skip


def _commit(services: Any, name: str) -> str:
    return next(version.commit for version in services.versions.history() if version.candidate_id == name)
