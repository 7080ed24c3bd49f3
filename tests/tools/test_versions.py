"""The run's repository: real git reads what we wrote, repeats change nothing, nothing is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.errors import StoreError
from sigmaloop.tools.versions import Versions

BASE, BETTER, OTHER = ("def run(session):\n    pass\n", "def run(session):\n    'é'\n", "def run(s): 1")
MESSAGE = "A0001: say more\n\nBecause: it helps.\n\nCluster: C001 silent agent\nFailures: F1, F2\nBatch: 3\n"


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    made = Versions(tmp_path / "run" / "versions.git")
    made.begin(BASE, "baseline\n\nThe agent that the run began with.")
    return made


def git(*arguments: str, at: Path, **options: Any) -> str:
    done = subprocess.run(["git", *arguments], cwd=at, capture_output=True, text=True, check=True, **options)
    return done.stdout.strip()


def test_git_itself_finds_the_repository_sound(versions: Versions) -> None:
    commit = versions.record("A0001", versions.main(), BETTER, MESSAGE)
    assert git("fsck", "--strict", "--no-dangling", at=versions.path) == ""
    assert git("show", f"{commit}:agent.py", at=versions.path) + "\n" == BETTER
    assert git("log", "--format=%B", "-1", "refs/candidates/A0001", at=versions.path) + "\n" == MESSAGE
    assert git("rev-parse", f"{commit}^", at=versions.path) == git("rev-parse", "main", at=versions.path)
    assert git("log", "-1", "--format=%an %ae %aI", "main", at=versions.path) == (
        "SigmaLoop sigmaloop@localhost 2000-01-01T00:00:00+00:00"
    )
    assert git("rev-parse", "--is-bare-repository", at=versions.path) == "true"
    assert not list((versions.path).glob("hooks/*"))


def test_equal_input_gives_equal_hashes_in_another_repository(versions: Versions, tmp_path: Path) -> None:
    again = Versions(tmp_path / "again.git")
    assert again.begin(BASE, "baseline\n\nThe agent that the run began with.") == versions.main()
    assert again.record("A0001", again.main(), BETTER, MESSAGE) == versions.record(
        "A0001", versions.main(), BETTER, MESSAGE
    )
    assert again.record("A0002", again.main(), OTHER, MESSAGE) != again.main()


def test_every_write_may_be_repeated(versions: Versions) -> None:
    base = versions.main()
    first = versions.record("A0001", base, BETTER, MESSAGE)
    versions.keep(first)
    second = versions.record("A0002", first, OTHER, "A0002: other")
    versions.keep(second)
    reopened = Versions(versions.path)
    assert reopened.begin(BASE, "baseline\n\nThe agent that the run began with.") == base
    assert reopened.record("A0001", base, BETTER, MESSAGE) == first
    reopened.keep(first)
    assert reopened.main() == second, "repeating an early keep does not take a later one back"


def test_reverting_is_not_moving_main(versions: Versions) -> None:
    base = versions.main()
    rejected = versions.record("A0001", base, OTHER, "A0001: worse")
    kept = versions.record("A0002", base, BETTER, "A0002: better")
    versions.keep(kept)
    assert (versions.main(), versions.baseline()) == (kept, base)
    assert (versions.source(rejected), versions.source(kept), versions.source(base)) == (OTHER, BETTER, BASE)
    assert [version.kept for version in versions.history()] == [True, False, True]
    assert [version.commit for version in versions.log()] == [base, kept]
    with pytest.raises(StoreError, match="not the kept agent"):
        versions.keep(rejected)


def test_the_history_tells_the_evidence(versions: Versions) -> None:
    versions.record("A0001", versions.main(), BETTER, MESSAGE)
    baseline, attempt = versions.history()
    assert (baseline.candidate_id, baseline.parent, baseline.evidence) == (None, None, {})
    assert (attempt.candidate_id, attempt.subject) == ("A0001", "A0001: say more")
    assert attempt.evidence == {"Cluster": "C001 silent agent", "Failures": "F1, F2", "Batch": "3"}


def test_the_diff_is_unified(versions: Versions) -> None:
    commit = versions.record("A0001", versions.main(), BETTER, MESSAGE)
    assert versions.diff(versions.main(), commit).splitlines()[-2:] == ["-    pass", "+    'é'"]


def test_an_id_never_stands_for_two_attempts(versions: Versions) -> None:
    versions.record("A0001", versions.main(), BETTER, MESSAGE)
    with pytest.raises(StoreError, match="ids are not reused"):
        versions.record("A0001", versions.main(), OTHER, MESSAGE)
    with pytest.raises(StoreError, match="can not name a candidate"):
        versions.record("../heads/main", versions.main(), OTHER, MESSAGE)


def test_a_run_that_began_with_another_agent_is_refused(versions: Versions) -> None:
    with pytest.raises(StoreError, match="another agent"):
        versions.begin(OTHER, "baseline")


def test_what_is_not_there_is_a_store_error(versions: Versions, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no agent"):
        Versions(tmp_path / "none.git").main()
    for bad in ("0" * 40, "no hash", git("rev-parse", "main:agent.py", at=versions.path)):
        with pytest.raises(StoreError):
            versions.source(bad)
        with pytest.raises(StoreError):
            versions.record("A0009", bad, OTHER, "x")
    assert not (tmp_path / "none.git").exists()


def test_a_damaged_object_is_a_store_error(versions: Versions) -> None:
    blob = git("rev-parse", "main:agent.py", at=versions.path)
    place = versions.path / "objects" / blob[:2] / blob[2:]
    place.chmod(0o644)
    place.write_bytes(b"damaged")
    with pytest.raises(StoreError, match=blob):
        Versions(versions.path).source(versions.main())


def test_a_repository_that_the_user_packed_reads_the_same(versions: Versions) -> None:
    first = versions.record("A0001", versions.main(), BETTER, MESSAGE)
    versions.keep(first)
    before = versions.history()
    git("gc", "--quiet", "--prune=now", at=versions.path)
    assert not (versions.path / "refs/heads/main").exists()
    packed = Versions(versions.path)
    assert packed.history() == before
    packed.keep(packed.record("A0002", first, OTHER, "A0002: other"))
    assert packed.source(packed.main()) == OTHER


def test_the_users_git_setup_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "template/hooks").mkdir(parents=True)
    hook = tmp_path / "template/hooks/reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
    hook.chmod(0o755)
    config = tmp_path / "config"
    config.write_text(
        f"[init]\n\ttemplateDir = {tmp_path}/template\n\tdefaultBranch = trunk\n"
        f"[core]\n\thooksPath = {tmp_path}/template/hooks\n[i18n]\n\tcommitEncoding = latin1\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere.git"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "objects"))
    made = Versions(tmp_path / "versions.git")
    made.keep(made.record("A0001", made.begin(BASE, "é"), BETTER, MESSAGE))
    assert made.source(made.main()) == BETTER
    names = ("GIT_CONFIG_GLOBAL", "GIT_DIR", "GIT_OBJECT_DIRECTORY")
    for name in names:
        monkeypatch.delenv(name)
    assert git("fsck", "--strict", at=made.path) == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config", "template", "versions.git"]


WRITER = """
import sys
from pathlib import Path
from sigmaloop.tools.versions import Versions
versions = Versions(Path(sys.argv[1]))
head = versions.begin("def run(session): 0\\n", "baseline")
sys.stdout.write("begun\\n"); sys.stdout.flush()
for n in range(1, 2000):
    head = versions.record(f"A{n:04}", head, f"def run(session): {n}\\n", f"A{n:04}: change\\n\\nBatch: {n}")
    versions.keep(head)
sys.stdout.write(head)
"""


def test_a_writer_killed_at_any_moment_leaves_a_sound_repository(tmp_path: Path) -> None:
    place = tmp_path / "versions.git"
    command = [sys.executable, "-c", WRITER, str(place)]
    for tenths in range(6):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.03 + tenths / 50)
            writer.send_signal(signal.SIGKILL)
        assert "error" not in git("fsck", "--strict", "--no-dangling", at=place)
        log = Versions(place).log()
        assert [version.candidate_id for version in log[1:]] == [f"A{n + 1:04}" for n in range(len(log) - 1)]


def test_a_repository_half_made_by_a_killed_program_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / ".versions.git.new").mkdir()
    (tmp_path / ".versions.git.new" / "config.lock").touch()
    made = Versions(tmp_path / "versions.git")
    assert made.source(made.begin(BASE, "baseline")) == BASE
    assert [path.name for path in tmp_path.iterdir()] == ["versions.git"]


def test_without_git_the_message_says_what_to_do(tmp_path: Path) -> None:
    program = "from sigmaloop.tools.versions import Versions\nVersions.check_git()"
    bare = {"PATH": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=bare, capture_output=True, text=True)
    assert "BadInput: git is not installed, or not on PATH" in done.stderr.splitlines()[-1]
    assert "install git" in done.stderr.splitlines()[-1]
    Versions.check_git()


def test_a_subject_holds_nothing_that_operates_a_terminal(versions: Versions) -> None:
    versions.record("A0009", versions.baseline(), OTHER, "a\x1b]0;x\x07\ud83d\n\nKind: prompt")
    assert next(v for v in versions.history() if v.candidate_id == "A0009").subject == "a]0;x\ufffd"


def test_the_run_may_be_moved(versions: Versions, tmp_path: Path) -> None:
    shutil.move(versions.path, tmp_path / "moved.git")
    assert Versions(tmp_path / "moved.git").main() == Versions(tmp_path / "moved.git").baseline()


def test_a_fork_goes_another_way_and_the_first_way_stays(versions: Versions) -> None:
    base = versions.main()
    first = versions.record("A0001", base, BETTER, "A0001: better")
    versions.keep(first)
    versions.fork(first)
    assert versions.main() == first, "a fork from the newest agent is no fork"
    versions.fork(base)
    assert versions.main() == base
    second = versions.record("A10001", base, OTHER, "A10001: other")
    versions.keep(second)
    assert versions.main() == second
    assert versions.source(first) == BETTER
    tried = versions.record("A0002", second, BETTER, "A0002: better")
    with pytest.raises(StoreError, match="never kept"):
        versions.fork(tried)


def test_main_comes_back_to_a_way_that_was_left(versions: Versions) -> None:
    base = versions.main()
    first = versions.record("A0001", base, BETTER, "A0001: better")
    versions.keep(first)
    versions.fork(base)
    second = versions.record("A10001", base, OTHER, "A10001: other")
    versions.keep(second)
    versions.fork(first)
    assert versions.main() == first
    third = versions.record("A0002", first, OTHER, "A0002: other")
    versions.keep(third)
    versions.fork(second)
    assert versions.main() == second


def test_many_threads_may_read_a_repository_that_was_just_opened(versions: Versions) -> None:
    head = versions.main()
    for _ in range(30):
        opened, wrong = Versions(versions.path), []
        start = threading.Barrier(8)

        def read(opened: Versions = opened, start: threading.Barrier = start, wrong: list[str] = wrong) -> None:
            start.wait()
            try:
                assert opened.source(head) == BASE
            except (StoreError, AssertionError) as error:
                wrong.append(str(error))

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
