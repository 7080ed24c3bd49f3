"""All faults that the engineer has words for."""

from __future__ import annotations

from sigmaloop.simulation.specialists.wording.airline import AIRLINE
from sigmaloop.simulation.specialists.wording.fault import Fault
from sigmaloop.simulation.specialists.wording.retail import RETAIL
from sigmaloop.simulation.specialists.wording.shared import SHARED
from sigmaloop.simulation.specialists.wording.telecom import TELECOM

FAULTS: dict[str, Fault] = {**SHARED, **RETAIL, **AIRLINE, **TELECOM}
"""By the name that the catalogue of habits gives them; the name never shows in a text."""
