"""How the simulated model reads a harness: `read` says how often each habit strikes under it."""

from sigmaloop.simulation.reading.policy import part as part_policy
from sigmaloop.simulation.reading.reading import Reading, objects, read

__all__ = ["Reading", "objects", "part_policy", "read"]
