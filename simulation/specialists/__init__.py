"""The simulated model as specialist: it reads the prompt that it is sent and answers in kind, mistakes included."""

from sigmaloop.simulation.specialists.roles import answer, is_specialist

__all__ = ["answer", "is_specialist"]
