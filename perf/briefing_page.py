"""Write docs/briefing.md: everything that the engineer was shown for one attempt, word for word.

    python perf/briefing_page.py [--seed 0] [--attempt A0002]

A short run with the simulated model; what is shown is what a real engineer's model would be sent.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from sigmaloop.agents.brief_text import brief_prompt
from sigmaloop.agents.harness_engineer import CALLS
from sigmaloop.eval.benchmark import load_benchmark
from sigmaloop.graph.briefing import BRIEFING
from sigmaloop.graph.run import Run
from sigmaloop.memory.journal import Journal
from sigmaloop.settings import load_settings

PAGE = Path(__file__).parent.parent / "docs" / "briefing.md"
LONGEST = 90_000
"""Characters of the message that the page shows."""
FLAGS = {"batches": 1, "batch_size": 12, "attempts": 4, "certify_trials": 1, "canaries": 0, "harmful_canaries": 0}


def page(seed: int, attempt: str) -> str:
    """The page, as Markdown. Raises KeyError when the run had no such attempt."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(home=Path(folder), seed=seed, upstream="simulated", **FLAGS)
        run = Run.start(settings)
        run.go()
        with Journal(run.paths.journal, readonly=True) as journal:
            brief = journal.load(BRIEFING, attempt)
    if brief is None:
        raise KeyError(attempt)
    prompt = brief_prompt(brief, setting=load_benchmark(settings.benchmark).setting, calls=CALLS)
    user = prompt.user if len(prompt.user) <= LONGEST else f"{prompt.user[:LONGEST]}\n[... the page ends here ...]"
    return (
        f"# What an engineer sees\n\n<!-- Written by `python perf/briefing_page.py`; do not edit. -->\n\n"
        f"The two messages with which attempt {attempt} of a run with seed {seed} began: simulated model, "
        f"{len(prompt.user):,} characters. Everything in it comes from training tasks.\n\n"
        f"## System message\n\n{_fenced(prompt.system)}\n\n## First message\n\n{_fenced(user)}\n"
    )


def _fenced(text: str) -> str:
    return f"````text\n{text.replace('````', '` ` ` `')}\n````"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--attempt", default="A0003")
    chosen = parser.parse_args()
    PAGE.write_text(page(chosen.seed, chosen.attempt), encoding="utf-8")


if __name__ == "__main__":
    main()
