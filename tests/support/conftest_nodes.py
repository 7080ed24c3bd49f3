"""Words of the tests of single nodes."""

from __future__ import annotations

from typing import Any

TRAIN, HELD_OUT = [f"train-{n}" for n in range(10)], [f"validation-{n}" for n in range(10)]
AGENT = "def run(session):\n    session.say('hello')\n"


def code_word(task_id: str) -> str:
    """What an agent's text must hold to pass a task of the `Notes` benchmark: `t7x` for train-7."""
    split, _, number = task_id.partition("-")
    return f"{split[0]}{number}x"


def naming(*tasks: str, sick: tuple[str, ...] = ()) -> str:
    """An agent that passes these tasks; `sick` ones end in a fault."""
    words = [*map(code_word, tasks), *(f"sick_{code_word(task)}" for task in sick)]
    return AGENT + "".join(f"{word} = True\n" for word in words)


def begun(loop: Any) -> Any:
    """A loop at its first attempt: baseline, traffic, failures and clusters are there."""
    from sigmaloop.graph.nodes.observe import baseline, cluster, mine, simulate

    loop.go(baseline, simulate)
    loop.mine(mine)
    loop.go(cluster)
    return loop


def kept(loop: Any) -> Any:
    """A loop that has just kept a change which passes everything."""
    from sigmaloop.graph.nodes.attempt import propose, regression_gate, review, validation_gate
    from sigmaloop.graph.nodes.conclude import keep

    begun(loop).services.engineer.texts.append(naming(*TRAIN, *HELD_OUT))
    loop.go(propose, regression_gate, validation_gate, review, keep)
    return loop
