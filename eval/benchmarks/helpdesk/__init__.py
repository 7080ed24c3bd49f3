"""helpdesk: customer service in retail, airline and telecom."""

from sigmaloop.eval.benchmarks.helpdesk.benchmark import Helpdesk, OracleStep

__all__ = ["Helpdesk", "OracleStep"]
