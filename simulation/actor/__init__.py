"""The simulated model as target: a customer service agent with habits, which its harness makes stronger or weaker."""

from sigmaloop.simulation.actor.agent import next_message

__all__ = ["next_message"]
