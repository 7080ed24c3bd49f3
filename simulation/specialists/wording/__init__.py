"""How the simulated engineer words a remedy: a grammar for each fault, and what becomes of it on a bad day."""

from sigmaloop.simulation.specialists.wording import weaknesses
from sigmaloop.simulation.specialists.wording.checks import check_lines
from sigmaloop.simulation.specialists.wording.forms import FORMS, Form, placed
from sigmaloop.simulation.specialists.wording.remedies import Quality, remedy
from sigmaloop.simulation.specialists.wording.subject import recognise

__all__ = ["FORMS", "Form", "Quality", "check_lines", "placed", "recognise", "remedy", "weaknesses"]
