"""What the supervisor tells the program inside the sandbox: once as it starts, and once for every rollout."""

from __future__ import annotations

from typing import TypedDict

from sigmaloop.tools.sandbox.child.frames import Json


class Place(TypedDict):
    """A file of the agent's package."""

    folder: str
    """Of the read-only copy."""
    name: str
    """Path inside it, with slashes."""


class AgentFiles(TypedDict):
    """What an agent consists of beside the text that changes."""

    folders: list[str]
    """Read-only copies, which its modules are imported from."""
    edited: Place | None
    """Where the text that changes belongs; None: it is one file alone."""
    driver: Place | None
    """The file with `run`, when it is another one."""


class Order(TypedDict):
    """The first frame on a zygote's control socket."""

    tier: str
    cpu_seconds: float
    """Processor time of one child."""
    memory_bytes: int
    """Address space of one child."""
    packages: list[str]
    """Folders of installed packages that agents may import from."""
    roots: list[str]
    """Files and folders that may be read."""
    holes: list[str]
    """What is cut out of them."""
    agent: AgentFiles
    preload: list[str]
    """Clients that are loaded before the first fork."""
    scratch: str
    """The folder in which every child gets its own."""


class Opening(TypedDict):
    """The first frame on a rollout's socket."""

    source: str
    """The agent's file that changes."""
    instructions: str
    tools: list[Json]
    opening: str
