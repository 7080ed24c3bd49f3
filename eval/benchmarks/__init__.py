"""The benchmarks that ship with SigmaLoop, by name."""

SHIPPED = {
    "helpdesk": "sigmaloop.eval.benchmarks.helpdesk:Helpdesk",
    "coding": "sigmaloop.eval.benchmarks.coding:Coding",
}
