"""The kept agent in the user's own repository: merged or refused, and their files stay put."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.errors import BadInput
from sigmaloop.tools.user_branch import write_branch

BASE, BETTER, OTHER = ("def run(session):\n    pass\n", "def run(session):\n    'é'\n", "def run(s): 1")
MESSAGE = "A0001: say more\n\nBecause: it helps.\n\nCluster: C001 silent agent\nFailures: F1, F2\nBatch: 3\n"


def git(*arguments: str, at: Path, **options: Any) -> str:
    done = subprocess.run(["git", *arguments], cwd=at, capture_output=True, text=True, check=True, **options)
    return done.stdout.strip()


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's repository with an agent, an uncommitted edit, a staged file and hooks that would shout."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    place = tmp_path / "mine"
    (place / "src").mkdir(parents=True)
    git("init", "-q", "-b", "main", at=place)
    git("config", "user.name", "Ada", at=place)
    git("config", "user.email", "ada@example.com", at=place)
    (place / "src/agent.py").write_text(BASE)
    (place / "src/agent.py").chmod(0o755)
    (place / "other.txt").write_text("other\n")
    (place / "link.py").symlink_to("src/agent.py")
    git("add", ".", at=place)
    git("commit", "-qm", "mine", at=place)
    for hook in ("reference-transaction", "post-commit", "pre-commit", "post-index-change"):
        (place / ".git/hooks" / hook).write_text(f"#!/bin/sh\ntouch {tmp_path}/hook-ran\n")
        (place / ".git/hooks" / hook).chmod(0o755)
    (place / "other.txt").write_text("edited\n")
    (place / "new.txt").write_text("staged\n")
    git("-c", "core.hooksPath=/dev/null", "add", "new.txt", at=place)
    return place


def state(place: Path) -> tuple[str, bytes]:
    quiet = ("-c", "core.hooksPath=/dev/null", "--no-optional-locks")
    return git(*quiet, "status", "--porcelain=v2", "--branch", at=place), (place / ".git/index").read_bytes()


def test_a_branch_is_written_without_touching_files_index_or_hooks(mine: Path, tmp_path: Path) -> None:
    before = state(mine)
    made = write_branch(mine, branch="sigmaloop/x", file_path="src/agent.py", source=BETTER, message="Better\n\nWhy.")
    commit = made.commit
    assert state(mine) == before
    assert not (tmp_path / "hook-ran").exists()
    assert git("rev-parse", "sigmaloop/x", at=mine) == commit
    assert git("diff", "--name-only", "main", "sigmaloop/x", at=mine) == "src/agent.py"
    assert git("show", "sigmaloop/x:src/agent.py", at=mine) + "\n" == BETTER
    assert git("ls-tree", "sigmaloop/x", "src/agent.py", at=mine).startswith("100755")
    assert git("log", "-1", "--format=%an|%B", "sigmaloop/x", at=mine) == "Ada|Better\n\nWhy."
    assert git("rev-parse", "sigmaloop/x^", at=mine) == git("rev-parse", "main", at=mine)


def test_the_path_is_relative_to_the_named_folder(mine: Path) -> None:
    write_branch(mine / "src", branch="x", file_path="agent.py", source=BETTER, message="m")
    assert git("diff", "--name-only", "main", "x", at=mine) == "src/agent.py"


def test_without_an_identity_of_the_users_the_commit_is_ours(mine: Path) -> None:
    git("config", "--unset", "user.email", at=mine)
    write_branch(mine, branch="x", file_path="src/agent.py", source=BETTER, message="m")
    assert git("log", "-1", "--format=%an", "x", at=mine) == "SigmaLoop"


def test_an_existing_branch_is_replaced_only_by_force(mine: Path) -> None:
    first = write_branch(mine, branch="x", file_path="src/agent.py", source=BETTER, message="m").commit
    with pytest.raises(BadInput, match=r"refs/heads/x exists already.*--force"):
        write_branch(mine, branch="x", file_path="src/agent.py", source=OTHER, message="m")
    assert git("rev-parse", "x", at=mine) == first
    second = write_branch(mine, branch="x", file_path="src/agent.py", source=OTHER, message="m", force=True).commit
    assert git("rev-parse", "x", at=mine) == second != first


@pytest.mark.parametrize(
    ("branch", "file_path", "message"),
    [
        ("main", "src/agent.py", "checked out"),
        ("x", "agent.py", "not a file in HEAD"),
        ("x", "src", "not a file in HEAD"),
        ("x", "new.txt", "not a file in HEAD"),
        ("x", "link.py", "not a file in HEAD"),
        ("x", "../elsewhere.py", "does not lie in the repository"),
        ("x", "/etc/passwd", "does not lie in the repository"),
        ("a..b", "src/agent.py", "no valid branch name"),
        ("-f", "src/agent.py", "no valid branch name"),
        ("", "src/agent.py", "no valid branch name"),
        ("taken/x", "src/agent.py", "git refused"),
    ],
)
def test_what_can_not_be_written_is_refused_and_nothing_changes(
    mine: Path, branch: str, file_path: str, message: str
) -> None:
    git("-c", "core.hooksPath=/dev/null", "branch", "taken", at=mine)
    before = state(mine), git("for-each-ref", at=mine)
    with pytest.raises(BadInput, match=message):
        write_branch(mine, branch=branch, file_path=file_path, source=BETTER, message="m", force=True)
    assert (state(mine), git("for-each-ref", at=mine)) == before


def test_a_branch_checked_out_in_another_worktree_is_refused(mine: Path, tmp_path: Path) -> None:
    git("-c", "core.hooksPath=/dev/null", "worktree", "add", "-q", "-b", "there", str(tmp_path / "there"), at=mine)
    with pytest.raises(BadInput, match="checked out"):
        write_branch(mine, branch="there", file_path="src/agent.py", source=BETTER, message="m", force=True)
    write_branch(tmp_path / "there", branch="x", file_path="src/agent.py", source=BETTER, message="m")
    assert git("show", "x:src/agent.py", at=mine) + "\n" == BETTER


LONG = "NAME = 'a'\n\n\ndef run(session):\n    first = 1\n    second = 2\n    third = 3\n    return first\n"


def commit_file(mine: Path, data: bytes) -> None:
    (mine / "src/agent.py").write_bytes(data)
    git("-c", "core.hooksPath=/dev/null", "commit", "-qm", "changed", "src/agent.py", at=mine)


def shown(mine: Path, branch: str) -> bytes:
    return subprocess.run(["git", "show", f"{branch}:src/agent.py"], cwd=mine, capture_output=True, check=True).stdout


def test_what_was_committed_since_the_run_began_is_not_reverted(mine: Path) -> None:
    commit_file(mine, LONG.replace("'a'", "'theirs'").encode())
    kept = LONG.replace("return first", "return third")
    made = write_branch(mine, branch="x", file_path="src/agent.py", source=kept, base=LONG, message="m")
    assert made.merged
    assert shown(mine, "x").decode() == kept.replace("'a'", "'theirs'")
    assert "nobody measured the mix" in git("log", "-1", "--format=%B", "x", at=mine)


def test_changes_of_the_same_lines_are_refused_with_what_to_do(mine: Path) -> None:
    commit_file(mine, LONG.replace("return first", "return second").encode())
    kept = LONG.replace("return first", "return third")
    before = git("for-each-ref", at=mine)
    with pytest.raises(BadInput, match=r"changed in HEAD since the run began.*--output"):
        write_branch(mine, branch="x", file_path="src/agent.py", source=kept, base=LONG, message="m", force=True)
    assert git("for-each-ref", at=mine) == before


@pytest.mark.parametrize("name", ["prompt.md", "rules.json"])
def test_a_file_that_is_no_program_is_merged_as_what_it_is(mine: Path, name: str) -> None:
    """Markdown is taken as it is; JSON that the merge has broken is refused."""
    base, now, kept = "[\n1,\n2,\n3\n]\n", "[0,\n1,\n2,\n3\n]\n", "[\n1,\n2,\n3,]\n"
    (mine / name).write_text(now)
    git("add", name, at=mine)
    git("-c", "core.hooksPath=/dev/null", "commit", "-qm", "prompt", at=mine)
    if name.endswith(".json"):
        with pytest.raises(BadInput, match=r"rules.json, merged with .*not valid JSON"):
            write_branch(mine, branch="x", file_path=name, source=kept, base=base, message="m")
        return
    write_branch(mine, branch="x", file_path=name, source=kept, base=base, message="m")
    assert git("show", f"x:{name}", at=mine) == "[0,\n1,\n2,\n3,]"


def test_a_merge_that_is_no_agent_is_refused(mine: Path) -> None:
    commit_file(mine, LONG.replace("def run", "def ran").encode())
    kept = LONG.replace("return first", "return third")
    with pytest.raises(BadInput, match=r"merged with what was committed.*run\(session\)"):
        write_branch(mine, branch="x", file_path="src/agent.py", source=kept, base=LONG, message="m")


def test_line_ends_and_byte_order_mark_of_the_users_file_stay(mine: Path) -> None:
    form = b"\xef\xbb\xbf" + LONG.replace("\n", "\r\n").encode()
    commit_file(mine, form)
    kept = LONG.replace("return first", "return third")
    made = write_branch(mine, branch="x", file_path="src/agent.py", source=kept, base=LONG, message="m")
    assert not made.merged
    assert shown(mine, "x") == form.replace(b"return first", b"return third")


def test_a_message_holds_nothing_that_operates_a_terminal(mine: Path) -> None:
    write_branch(mine, branch="x", file_path="src/agent.py", source=BETTER, message="a\x1b[2J\u202eb")
    assert git("log", "-1", "--format=%B", "x", at=mine) == "a[2Jb"


def test_a_folder_without_repository_or_commit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no git repository"):
        write_branch(tmp_path, branch="x", file_path="agent.py", source=BETTER, message="m")
    git("init", "-q", at=tmp_path)
    with pytest.raises(BadInput, match="has no commit yet"):
        write_branch(tmp_path, branch="x", file_path="agent.py", source=BETTER, message="m")
