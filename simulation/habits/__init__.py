"""What the simulated model does wrong, what cures it, and what over-broad rules break: data, no code."""

from sigmaloop.simulation.habits.cures import RIGHT, WRONG
from sigmaloop.simulation.habits.overbreadth import TOO_BROAD
from sigmaloop.simulation.habits.registry import HABITS, Domain, Habit

__all__ = ["HABITS", "RIGHT", "TOO_BROAD", "WRONG", "Domain", "Habit"]
