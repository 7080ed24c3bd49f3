"""Where things lie in a home, and which runs are there.

<home>/checkpoints.sqlite       where every run of the home stands in the graph
<home>/runs/<run id>/
    number                      1 for the home's first run, and so on: which is the newest hangs on no clock
    journal.sqlite              the truth
    versions.git                every attempt as a commit
    chroma/                     nearest failures and learnings; can be rebuilt
    report.html learnings.md results.tsv suite.json progress.json    for people; can be rebuilt
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sigmaloop.errors import BadInput, StoreError
from sigmaloop.memory.journal import Journal
from sigmaloop.records import Record

JOURNAL = "journal.sqlite"
VERSIONS = "versions.git"
CHROMA = "chroma"
LEARNINGS = "learnings.md"
RESULTS = "results.tsv"
SUITE = "suite.json"
PROGRESS = "progress.json"
REPORT = "report.html"
CHECKPOINTS = "checkpoints.sqlite"
CALLS = "calls.traces"
"""Beside a journal: every model call, if `record_calls` is set."""
NUMBER = "number"


@dataclass(frozen=True)
class RunPaths:
    """The files of one run."""

    home: Path
    run_id: str

    @property
    def root(self) -> Path:
        """The run's own folder."""
        return self.home / "runs" / self.run_id

    @property
    def journal(self) -> Path:
        return self.root / JOURNAL

    @property
    def versions(self) -> Path:
        return self.root / VERSIONS

    @property
    def index(self) -> Path:
        return self.root / CHROMA

    @property
    def learnings(self) -> Path:
        return self.root / LEARNINGS

    @property
    def results(self) -> Path:
        return self.root / RESULTS

    @property
    def suite(self) -> Path:
        return self.root / SUITE

    @property
    def progress(self) -> Path:
        return self.root / PROGRESS

    @property
    def report(self) -> Path:
        return self.root / REPORT

    @property
    def checkpoints(self) -> Path:
        """Shared by all runs of the home."""
        return checkpoints_path(self.home)

    def exists(self) -> bool:
        """Whether a run was made here, even if its journal is gone."""
        return self.journal.is_file() or self.versions.exists()

    def check(self) -> None:
        """Raises StoreError when a run was made here, but its journal is gone or was emptied."""
        problem = _lost(self.root)
        if problem:
            raise StoreError(problem)

    def make(self) -> None:
        """Make the run's folder, as the newest of the home. Raises BadInput when the home cannot be written."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if not (self.root / NUMBER).exists():
                newest = max((_number(folder) for folder in self.root.parent.iterdir()), default=0)
                (self.root / NUMBER).write_text(f"{newest + 1}\n", encoding="utf-8")
        except OSError as error:
            raise BadInput(f"{self.root} cannot be made: {error.strerror}; give a writable place with --home") from None


class RunFacts(Record):
    """The little that a list of runs shows of each."""

    run_id: str
    number: int = 0
    """Its place among the runs of the home, in the order in which they began; 0 for one from before they were
    counted."""
    started: float = 0.0
    """Seconds since 1970 at its first event; 0 when it has none. By the clock of that time: for people only."""
    written: float = 0.0
    """The same for its newest event."""
    batches: int = 0
    attempts: int = 0
    kept: int = 0
    certified: bool = False
    problem: str = ""
    """Why its journal cannot be read; empty for a sound one."""


def checkpoints_path(home: Path) -> Path:
    return home / CHECKPOINTS


def list_runs(home: Path) -> list[RunFacts]:
    """Every run of a home, the newest first; a damaged one is listed with its problem.

    Those from before runs were counted come last, and among them the clock decides.
    """
    found = [_facts(folder) for folder in _folders(home)]
    return sorted(found, key=lambda facts: (-facts.number, -facts.started, facts.run_id))


def find_run(home: Path, prefix: str | None = None) -> str:
    """The id that begins with `prefix`, or the newest. Raises BadInput when none or several do."""
    if prefix is None:
        return latest_run(home)
    ids = [facts.run_id for facts in list_runs(home)]
    if prefix in ids:
        return prefix
    matches = [run_id for run_id in ids if prefix and run_id.startswith(prefix)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise BadInput(f"{len(matches)} runs in {home} begin with {prefix!r}: {_some(matches)}; give more of the id")
    raise BadInput(f"no run {prefix!r} in {home}; runs here: {_some(ids)}")


def latest_run(home: Path) -> str:
    """The id of the run that was started last. Raises BadInput when there is none."""
    runs = list_runs(home)
    if not runs:
        raise BadInput(f"no runs in {home}; start one with `sigmaloop run`, or name its home with --home")
    return runs[0].run_id


def _folders(home: Path) -> list[Path]:
    try:
        return sorted(path for path in (home / "runs").iterdir() if RunPaths(home, path.name).exists())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise BadInput(f"home {home} cannot be read: {error.strerror}; give another with --home") from None


def _facts(folder: Path) -> RunFacts:
    number = _number(folder)
    problem = _lost(folder)
    if problem:
        return RunFacts(run_id=folder.name, number=number, problem=problem)
    try:
        with Journal(folder / JOURNAL, readonly=True) as journal:
            times = journal.times() or (0.0, 0.0)
            begun = journal.length() > 0  # else it was killed before it wrote a word, and nobody means it
            ledger = journal.events("ledger")
            return RunFacts(
                run_id=folder.name,
                number=number if begun else 0,
                started=times[0],
                written=times[1],
                batches=journal.count("batch_started"),
                attempts=len(ledger),
                kept=sum(event.payload.get("outcome") == "kept" for event in ledger),
                certified=journal.count("certificate") > 0,
            )
    except StoreError as error:
        return RunFacts(run_id=folder.name, number=number, problem=str(error))


def _lost(folder: Path) -> str:
    """Why there is no journal to read though a run was made; empty when there is one, or was no run."""
    journal = folder / JOURNAL
    if not (folder / VERSIONS).exists() or (journal.is_file() and journal.stat().st_size > 0):
        return ""
    gone = "is empty" if journal.exists() else "is missing"
    return (
        f"{journal} {gone}, though its run was begun: what it measured is lost with it; put back a copy. Without one, "
        f"its agents can still be taken from {folder / VERSIONS}, and a new run started"
    )


def _number(folder: Path) -> int:
    try:
        return int((folder / NUMBER).read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError):
        return 0


def _some(ids: list[str]) -> str:
    return ", ".join(ids[:10]) + (f" and {len(ids) - 10} more" if len(ids) > 10 else "") if ids else "none"
