"""The lock of a home: one process works there, the next is told which, and a killed one leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sigmaloop.errors import BadInput, Busy
from sigmaloop.memory.lock import LOCK, HomeLock, working_process

HOLDER = """
import sys, time
from pathlib import Path
from sigmaloop.memory.lock import HomeLock
with HomeLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(home: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(home)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_told_who_works_there_and_what_to_do(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with pytest.raises(Busy) as caught, HomeLock(tmp_path):
            pass
        text = str(caught.value)
        assert str(tmp_path) in text
        assert f"process {process.pid} (-c" in text
        assert "sigmaloop status" in text
    assert caught.value.exit_code == 2


def test_a_killed_holder_leaves_nothing_to_clean_up(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert (tmp_path / LOCK).read_text().startswith(f"{process.pid}\n"), "its text stays and means nothing"
        with HomeLock(tmp_path):
            assert (tmp_path / LOCK).read_text().startswith(f"{os.getpid()}\n")


def test_the_process_that_holds_it_may_take_it_again_also_in_other_threads(tmp_path: Path) -> None:
    def probe() -> int:
        command = [sys.executable, "-c", HOLDER, str(tmp_path)]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode

    def work() -> None:
        for _ in range(200):
            with HomeLock(tmp_path), HomeLock(tmp_path):
                pass

    with HomeLock(tmp_path):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert probe() != 0, "still held by the outermost"
    assert probe() == 0


def test_a_home_behind_a_link_is_the_same_home(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with HomeLock(tmp_path / "real"), HomeLock(tmp_path / "link"):
        pass


def test_releasing_too_often_is_harmless(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path)
    lock.release()
    lock.acquire()
    lock.release()
    lock.release()
    with lock:
        pass


def test_a_home_is_made_when_it_is_first_locked(tmp_path: Path) -> None:
    with HomeLock(tmp_path / "deep" / "home"):
        assert (tmp_path / "deep" / "home" / LOCK).is_file()


def test_an_unwritable_home_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for home in (tmp_path / "file", tmp_path / "file" / "home", Path("/proc/nobody")):
        with pytest.raises(BadInput, match="--home or SIGMALOOP_HOME") as caught, HomeLock(home):
            pass
        assert str(home) in str(caught.value)
        assert not isinstance(caught.value, Busy)


def test_the_lock_tells_which_run_is_worked_on_and_by_whom(tmp_path: Path) -> None:
    assert working_process(tmp_path, "one") is None
    with HomeLock(tmp_path), HomeLock(tmp_path, "one"):
        with HomeLock(tmp_path, "two"), HomeLock(tmp_path, "two"):
            assert working_process(tmp_path, "two") == os.getpid()
        assert working_process(tmp_path, "one") == os.getpid()
        assert working_process(tmp_path, "two") is None
    assert working_process(tmp_path, "one") is None, "what stands in the file of a lock that nobody holds means nothing"


def test_whoever_looks_keeps_nobody_from_working(tmp_path: Path) -> None:
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(0.002):
            working_process(tmp_path, "one")

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(300):
            with HomeLock(tmp_path, "one"):
                pass
    finally:
        stop.set()
        thread.join()
