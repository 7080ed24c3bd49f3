"""The page on this machine: loopback only, one address, nothing under another name, errors as words."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator

import pytest

from sigmaloop.cli.page_server import PageServer
from sigmaloop.errors import BadInput

pages = ["<p>first", "<p>second"]


@pytest.fixture
def server() -> Iterator[PageServer]:
    made = iter(pages)

    def make() -> str:
        found = next(made, None)
        if found is None:
            raise BadInput("the run is gone")
        return found

    with PageServer(make) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def asked(server: PageServer, path: str = "/", host: str | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("GET", path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    found = answer.status, answer.read().decode()
    connection.close()
    return found


def test_each_look_is_fresh_and_a_lost_run_is_told(server: PageServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert [asked(server), asked(server)] == [(200, pages[0]), (200, pages[1])]
    assert asked(server) == (503, "the run is gone")


def test_other_paths_and_other_names_get_nothing(server: PageServer) -> None:
    assert asked(server, "/../journal.sqlite")[0] == 404
    assert asked(server, host="evil.example")[0] == 403
    assert asked(server)[0] == 200
