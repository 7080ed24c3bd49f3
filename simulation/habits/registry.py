"""The catalogue of habits: the ground truth of the simulated model, by which tests score the loop.

A habit strikes at a decision in a procedure (`simulation.actor`) with a probability that starts at its base rate
and that the harness raises or lowers (`simulation.reading`).
"""

from __future__ import annotations

from sigmaloop.simulation.habits.airline import AIRLINE
from sigmaloop.simulation.habits.habit import Domain, Habit
from sigmaloop.simulation.habits.retail import RETAIL
from sigmaloop.simulation.habits.shared import SHARED
from sigmaloop.simulation.habits.telecom import TELECOM

__all__ = ["HABITS", "Domain", "Habit"]

SCALE = 0.9
"""Multiplies the base rate of every habit: THE knob by which `perf/calibrate.py` brings the baseline to .50 to .62."""

HABITS: dict[str, Habit] = {
    habit.id: habit.model_copy(update={"rate": min(0.9, SCALE * habit.rate)})
    for habit in (*SHARED, *RETAIL, *AIRLINE, *TELECOM)
}
"""Every habit by its id, in the order of the catalogue, with its rate scaled."""
