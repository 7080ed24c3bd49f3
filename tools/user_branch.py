"""The kept agent as a new branch in the user's own repository, whose checked-out files and index stay untouched."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from sigmaloop.clean_text import clean
from sigmaloop.errors import BadInput
from sigmaloop.tools.changes.edits import check_agent
from sigmaloop.tools.changes.file_kinds import kind_of
from sigmaloop.tools.changes.text_form import in_form_of, text_of
from sigmaloop.tools.versions import load_git

_RUN = re.compile(r"^(async )?def run\b", re.MULTILINE)
"""A module beside a fixed driver has none, before and after."""


class Written(NamedTuple):
    """A branch in the user's repository."""

    commit: str
    merged: bool
    """Whether the file had changed since the run began, and the commit holds both changes."""


def write_branch(
    repo_path: Path,
    *,
    branch: str,
    file_path: str,
    source: str,
    message: str,
    base: str | None = None,
    force: bool = False,
) -> Written:
    """Commit a source as the file `file_path` (relative to `repo_path`) on a new branch from HEAD.

    What HEAD changed in the file since it was `base` stays: both changes are merged. The file keeps its line ends
    and its byte order mark. Checked-out files, index and hooks stay untouched. Raises BadInput when there is no
    repository, no such file in HEAD, such a branch (with `force` it is replaced), or when the changes do not fit.
    """
    git = load_git()
    repo, path = _users_repository(git, Path(repo_path), file_path)
    with repo, tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryFile() as text:
        run = repo.git
        run.update_environment(GIT_DIR=repo.git_dir, GIT_INDEX_FILE=str(Path(scratch) / "index"))
        run.set_persistent_git_options(c=f"core.hooksPath={os.devnull}")
        try:
            ref = "refs/heads/" + _branch_name(git, run, branch)
            old = _may_replace(git, run, ref, force=force)
            entry = run.ls_tree("HEAD", "--", path)
            if not entry.startswith("100"):  # 040000 is a folder, 120000 a link
                raise BadInput(f"{path} is not a file in HEAD of {repo_path}; name the agent's file with --path")
            there: bytes = run.cat_file("blob", entry.split()[2], stdout_as_string=False, strip_newline_in_stdout=False)
            now = _readable(there, path)
            merged = base is not None and now not in (base, source)
            if merged:
                source = _merged(git, run, Path(scratch), base or "", now, source, path)
                message += f"\n\nMerged with what was committed to {path} since the run began: nobody measured the mix."
            text.write(in_form_of(there, source))
            text.seek(0)
            blob = run.hash_object("-w", "--stdin", istream=text)
            run.read_tree("HEAD")
            run.update_index("--cacheinfo", f"{entry.split()[0]},{blob},{path}")
            author = _author(git, run)
            commit = run.commit_tree(run.write_tree(), "-p", "HEAD", "-m", clean(message), env=author)
            run.update_ref("-m", "sigmaloop apply", ref, commit, old)
        except git.GitCommandError as error:
            raise BadInput(f"git refused in {repo_path}: {str(error.stderr).strip() or error}") from error
        return Written(str(commit), merged)


def _readable(data: bytes, path: str) -> str:
    try:
        return text_of(data)
    except UnicodeDecodeError:
        raise BadInput(f"{path} in HEAD is no UTF-8 text; name the agent's file with --path") from None


def _merged(git: Any, run: Any, scratch: Path, base: str, now: str, kept: str, path: str) -> str:
    """The kept agent together with what was committed since the run began."""
    paths = [scratch / name for name in ("now", "base", "kept")]
    for file, text in zip(paths, (now, base, kept), strict=True):
        file.write_bytes(text.encode())
    try:
        both: bytes = run.merge_file(
            "-p", "-q", *map(str, paths), stdout_as_string=False, strip_newline_in_stdout=False
        )
    except git.GitCommandError as error:
        if not 0 < int(error.status) < 128:  # else the number of conflicts
            raise
        raise BadInput(
            f"{path} was changed in HEAD since the run began, in lines that the run changed as well: nothing was "
            "written. Check out the commit that the run began with and apply there, then merge the branch by hand; "
            "or take the kept agent with --output and choose line by line"
        ) from None
    source = both.decode()
    name, main = f"{path}, merged with what was committed since the run began,", bool(_RUN.search(base))
    check_agent(source, name, kind=kind_of(path, hosted=True), main=main)
    return source


def _users_repository(git: Any, repo_path: Path, file_path: str) -> tuple[Any, str]:
    """The user's repository, and the file's path from its root."""
    try:
        repo = git.Repo(repo_path.resolve(), search_parent_directories=True, expand_vars=False)
    except (git.InvalidGitRepositoryError, git.NoSuchPathError):
        raise BadInput(f"{repo_path} is no git repository; give its folder, or take the patch") from None
    if not repo.head.is_valid():
        raise BadInput(f"{repo_path} has no commit yet; commit the agent's file first, or take the patch")
    if repo.bare:
        return repo, file_path
    file = repo_path.resolve() / file_path
    root = Path(repo.working_tree_dir).resolve()
    if not file.is_relative_to(root) or ".." in file.parts:
        raise BadInput(f"{file_path} does not lie in the repository {root}; name the agent's file with --path")
    return repo, file.relative_to(root).as_posix()


def _branch_name(git: Any, run: Any, branch: str) -> str:
    try:
        return str(run.check_ref_format("--branch", branch))
    except git.GitCommandError:
        raise BadInput(f"{branch!r} is no valid branch name; use something like sigmaloop/agent") from None


def _may_replace(git: Any, run: Any, ref: str, *, force: bool) -> str:
    """The hash that the ref has now, as update-ref wants it: all zeros for none."""
    if f"branch {ref}" in run.worktree("list", "--porcelain").split("\n"):
        raise BadInput(f"{ref} is checked out; choose another branch, or check out another one first")
    try:
        old = str(run.rev_parse("--verify", "--quiet", ref))
    except git.GitCommandError:
        return "0" * 40
    if not force:
        raise BadInput(f"{ref} exists already; choose another name or pass --force to replace it")
    return old


def _author(git: Any, run: Any) -> dict[str, str]:
    """Empty when the user has a git identity; else one of ours, without which git would refuse."""
    try:
        run.config("user.email")
        run.config("user.name")
    except git.GitCommandError:
        identity = {"NAME": "SigmaLoop", "EMAIL": "sigmaloop@localhost"}
        return {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in identity.items()}
    return {}
