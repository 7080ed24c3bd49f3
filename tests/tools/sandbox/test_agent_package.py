"""A folder as the agent: what is copied, what is refused, and what a rollout may do with it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_tiers import each_tier

from sigmaloop.errors import BadInput
from sigmaloop.tools.sandbox import agent_package
from sigmaloop.tools.sandbox.agent_package import AgentPackage, take_package
from sigmaloop.tools.sandbox.supervisor import SandboxResult, Supervisor

DRIVER = """
import os, tools
from pathlib import Path
from inner.words import GREETING
import session as theirs

HERE = Path(__file__).parent


def run(session):
    session.say(session.file("prompt.md"))
    session.say(session.files["data/facts.json"] + GREETING + theirs.OWN + tools.shout("x"))
    %s
"""


class Listener:
    def __init__(self) -> None:
        self.said: list[str] = []

    def init(self) -> dict[str, Any]:
        return {"instructions": "", "tools": [], "opening": ""}

    def act(self, name: str, arguments: dict[str, Any]) -> str:
        return ""

    def say(self, text: str) -> str | None:
        self.said.append(text)
        return "go on"

    def submit(self, answer: Any) -> None: ...

    def llm(self, request: dict[str, Any]) -> dict[str, Any]:
        return {}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "driver.py": DRIVER % "pass",
        "prompt.md": "as it was",
        "tools.py": "def shout(text):\n    return text.upper()\n",
        "session.py": "OWN = 'own'\n",
        "inner/words.py": "GREETING = 'hello'\n\n\ndef fail():\n    raise ValueError('no')\n",
        "data/facts.json": "{}",
    }
    return write(tmp_path / "mine", files)


def names(package: AgentPackage) -> set[str]:
    root = Path(package.folders[0])
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_symlink() or path.is_file()}


def run(tier: Any, package: AgentPackage, *sources: str) -> list[tuple[SandboxResult, list[str]]]:
    limits = {"step_seconds": 20, "rollout_seconds": 20, "cpu_seconds": 10}
    with Supervisor(**limits, max_steps=20, sandbox=tier, package=package) as supervisor:  # type: ignore[arg-type]
        ended = []
        for source in sources:
            listener = Listener()
            ended.append((supervisor.run(source, listener), listener.said))
        return ended


@pytest.fixture(params=each_tier("none", "landlock", "bubblewrap"))
def tier(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_a_driver_reads_the_changed_text_its_data_and_its_modules(tier: Any, folder: Path) -> None:
    (folder / "driver.py").write_text(DRIVER % "session.say((HERE / 'prompt.md').read_text() + os.getcwd()[:0])")
    package = take_package([folder], edited=folder / "prompt.md", driver=folder / "driver.py")
    for text, (result, said) in zip(("one", "two é"), run(tier, package, "one", "two é"), strict=True):
        assert (result.status, result.detail) == ("ok", "")
        assert said == [text, "{}helloownX", text]


def test_the_package_can_be_read_but_not_changed(folder: Path) -> None:
    """Whatever one rollout tries, the next one finds what was copied."""
    attempts = """
    found = []
    for attempt in (lambda: (HERE / "left.txt").write_text("x"), lambda: (HERE / "tools.py").write_text("x"),
                    lambda: (HERE / "data" / "facts.json").unlink(), lambda: os.mkdir(HERE / "new"),
                    lambda: os.chmod(HERE / "tools.py", 0o777), lambda: os.utime(HERE / "tools.py", (1, 1)),
                    lambda: (HERE / "prompt.md").unlink(), lambda: os.link(HERE / "tools.py", "copy")):
        try:
            attempt()
        except OSError:
            continue
        found.append("done")
    session.say(str(found) + str(sorted(os.listdir(HERE))) + str(os.stat(HERE / "tools.py").st_mtime_ns))
"""
    (folder / "driver.py").write_text(DRIVER % attempts)
    package = take_package([folder], edited=folder / "prompt.md", driver=folder / "driver.py")
    (first, told), (_, again) = run("auto", package, "text", "text")
    assert first.status == "ok", first.detail
    assert told[-1].startswith("[]['data', 'driver.py'")
    assert told == again


def test_the_users_own_folder_stays_out_of_reach(folder: Path) -> None:
    (folder / "driver.py").write_text(DRIVER % f"open({str(folder / 'tools.py')!r})")
    package = take_package([folder], edited=folder / "prompt.md", driver=folder / "driver.py")
    [(result, _)] = run("auto", package, "text")
    assert result.status == "agent_error"
    assert "PermissionError" in result.detail or "FileNotFoundError" in result.detail


def test_a_changed_module_inside_the_package_imports_its_neighbours(tier: Any, folder: Path) -> None:
    write(folder, {"inner/agent.py": "", "inner/__init__.py": ""})
    source = """
import asyncio, tools
from . import words

async def run(session):
    await asyncio.sleep(0)
    session.say(words.GREETING + tools.shout(__name__))
    words.fail()
"""
    package = take_package([folder], edited=folder / "inner" / "agent.py")
    [(result, said)] = run(tier, package, source)
    assert said == ["helloINNER.AGENT"]
    assert result.detail == "inner/agent.py line 8, in run > inner/words.py line 5, in fail: ValueError: no"


def test_a_driver_calls_the_changed_module(folder: Path) -> None:
    write(folder, {"main.py": "import tools\n\ndef run(session):\n    session.say(tools.shout('x'))\n"})
    package = take_package([folder], edited=folder / "tools.py", driver=folder / "main.py")
    changed = ["def shout(text):\n    return text + '!'\n", "def shout(text):\n    return text + '?'\n"]
    assert [said for _, said in run("auto", package, *changed)] == [["x!"], ["x?"]]


def test_what_is_missing_is_named(folder: Path) -> None:
    (folder / "driver.py").write_text(DRIVER % "session.file('policy.md')")
    package = take_package([folder], edited=folder / "prompt.md", driver=folder / "driver.py")
    [(result, _)] = run("auto", package, "text")
    assert "the agent's package has no file 'policy.md'; there are: prompt.md, driver.py" in result.detail


@pytest.mark.parametrize(
    "source",
    [
        "from langchain_openai import ChatOpenAI\nMODEL = ChatOpenAI()\ndef run(session): pass",
        "import openai\ndef run(session):\n    openai.AsyncOpenAI(api_key='x')",
    ],
)
def test_a_client_of_the_agents_own_says_what_to_use(source: str) -> None:
    limits = {"step_seconds": 20, "rollout_seconds": 20, "cpu_seconds": 10}
    with Supervisor(**limits, max_steps=20) as supervisor:  # type: ignore[arg-type]
        detail = supervisor.run(source, Listener()).detail
    assert "use session.chat_model() or session.openai(): the sandbox has no network and no key" in detail


def test_secrets_caches_and_what_the_caller_hides_are_not_copied(folder: Path) -> None:
    kept = names(take_package([folder]))
    left_out = {
        ".env": "K=1", ".git/config": "x", ".ssh/id": "x", "prod.env": "x", "server.pem": "x", "ID_RSA": "x",
        "a.key": "x",
        "credentials.json": "{}", "secrets.toml": "", "inner/__pycache__/words.pyc": "x", "env/pyvenv.cfg": "",
        "env/lib/x.py": "", "node_modules/x/index.js": "", "bench.py": "ANSWERS = 1",
        "notes.txt": "\n-----BEGIN OPENSSH PRIVATE KEY-----\nabc", "runs/journal": "x",
    }  # fmt: skip
    write(folder, left_out)
    (folder / "link_to_env").symlink_to(".env")
    (folder / "outside").mkdir()
    hidden = [str(folder / "bench.py"), str(folder / "runs")]
    assert names(take_package([folder], without=hidden)) == kept


def test_a_link_inside_is_kept_and_one_that_leads_out_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "also.py").symlink_to(folder / "tools.py")
    (folder / "facts").symlink_to("data")
    package = take_package([folder])
    assert (Path(package.folders[0]) / "also.py").read_text().startswith("def shout")
    assert os.readlink(Path(package.folders[0]) / "facts") == "data"
    (folder / "inner" / "out").symlink_to(tmp_path)
    with pytest.raises(BadInput, match=r"symbolic link .*out leads out of the folder, to .*; put a copy in its place"):
        take_package([folder])


def test_a_folder_that_is_too_large_or_none_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="is no folder"):
        take_package([folder / "driver.py"])
    os.mkfifo(folder / "pipe")
    with pytest.raises(BadInput, match="pipe is neither a file nor a folder"):
        take_package([folder])
    (folder / "pipe").unlink()
    with open(folder / "big.bin", "wb") as file:
        file.truncate(agent_package.MOST_BYTES + 1)
    with pytest.raises(BadInput, match=r"larger than 64 MB; name a smaller folder"):
        take_package([folder])
    (folder / "big.bin").unlink()
    monkeypatch.setattr(agent_package, "MOST_FILES", 3)
    with pytest.raises(BadInput, match="more than 3 files"):
        take_package([folder])


def test_a_driver_must_be_among_what_is_copied(folder: Path, tmp_path: Path) -> None:
    write(tmp_path, {"away.py": ""})
    with pytest.raises(BadInput, match=r"driver .* lies outside of the agent's package"):
        take_package([folder], driver=tmp_path / "away.py")
    write(folder, {".hidden/driver.py": ""})
    with pytest.raises(BadInput, match="is never copied"):
        take_package([folder], driver=folder / ".hidden" / "driver.py")


def test_the_copy_goes_with_its_last_user(folder: Path) -> None:
    package = take_package([folder])
    place = Path(package.folders[0])
    assert place.is_dir()
    del package
    assert not place.parent.parent.exists()


def test_the_digest_is_of_what_stays(folder: Path) -> None:
    edited = folder / "prompt.md"
    first = take_package([folder], edited=edited).digest
    edited.write_text("something else")
    write(folder, {".env": "K=2", "inner/__pycache__/a.pyc": "x"})
    assert take_package([folder], edited=edited).digest == first
    assert take_package([folder], edited=edited, driver=folder / "driver.py").digest != first
    assert take_package([folder]).digest != first


@settings(max_examples=6, deadline=None)
@given(st.dictionaries(st.sampled_from(["a.py", "b/c.txt", "b/d.txt", "e"]), st.text("xy\n", max_size=3), max_size=4))
def test_two_folders_have_one_digest_exactly_if_they_hold_the_same(files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        first = take_package([write(Path(one), files)]).digest
        assert take_package([write(Path(two), files)]).digest == first
        for name in files:
            write(Path(two), {name: files[name] + "z"})
            assert take_package([Path(two)]).digest != first
            write(Path(two), {name: files[name]})
        write(Path(two), {"more": ""})
        assert take_package([Path(two)]).digest != first
