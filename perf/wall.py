"""What the sandbox costs, as ratios in one run: a rollout in every tier, and a hundred waiting rollouts at once.

    python perf/wall.py [--rollouts 200] [--together 100] [--steps 10] [--seconds 1.0]

First: one empty rollout after the other, in each tier that this machine has, against the plain child process
(tier none). Second: so many rollouts at the same time, each of so many steps in which a scripted model takes so
long; the ideal is steps times seconds. For the session's own calls and for the official OpenAI client.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sigmaloop.tools.json_types import Json
from sigmaloop.tools.sandbox.readable_paths import readable_paths
from sigmaloop.tools.sandbox.supervisor import Supervisor
from sigmaloop.tools.sandbox.tiers import tiers
from sigmaloop.tools.sandbox.tiers.tiers import Tier

REAL_TIERS: tuple[Tier, ...] = ("landlock", "bubblewrap")
NOTHING = "def run(session):\n    pass\n"
NATIVE = "def run(session):\n    for _ in range({steps}):\n        session.complete([])\n"
CLIENT = """
def run(session):
    client = session.openai()
    for _ in range({steps}):
        client.chat.completions.create(model="any", messages=[])
"""
RESPONSE = {
    "id": "1", "object": "chat.completion", "created": 0, "model": "scripted",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Good day."}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}  # fmt: skip


class Scripted:
    """Handlers whose model takes its time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def init(self) -> Json:
        return {"instructions": "", "tools": [], "opening": ""}

    def act(self, name: str, arguments: Json) -> str:
        return ""

    def say(self, text: str) -> str | None:
        return None

    def submit(self, answer: object) -> None: ...

    def llm(self, request: Json) -> Json:
        time.sleep(self._seconds)
        return RESPONSE


def usable() -> list[Tier]:
    roots = readable_paths().roots
    probes = [tiers.probe(name, executable=sys.executable, roots=roots) for name in REAL_TIERS]
    for probe in probes:
        if not probe.usable:
            print(f"{probe.tier:<11} left out: {probe.why}")
    return ["none", *(probe.tier for probe in probes if probe.usable)]


def make(tier: Tier) -> Supervisor:
    supervisor = Supervisor(step_seconds=60, rollout_seconds=300, cpu_seconds=60, max_steps=1000, sandbox=tier)
    supervisor.start()
    return supervisor


def one_after_the_other(count: int) -> None:
    """The tiers take turns, so that a busy moment of the machine hits all of them."""
    supervisors = {tier: make(tier) for tier in usable()}
    seconds: dict[str, list[float]] = {tier: [] for tier in supervisors}
    for number in range(count + 10):
        for tier, supervisor in supervisors.items():
            started = time.perf_counter()
            assert supervisor.run(NOTHING, Scripted(0)).status == "ok"
            if number >= 10:
                seconds[tier].append(time.perf_counter() - started)
    plain = statistics.median(seconds["none"])
    for tier, supervisor in supervisors.items():
        supervisor.stop()
        median = statistics.median(seconds[tier])
        print(
            f"{tier:<11} {1000 * median:6.2f} ms a rollout  {1000 * (median - plain):+6.2f} ms"
            f"  ratio {median / plain:4.2f}"
        )


def together(tier: Tier, name: str, source: str, count: int, steps: int, seconds: float) -> None:
    supervisor = make(tier)
    assert supervisor.run(source.format(steps=1), Scripted(0)).status == "ok"  # clients are loaded once a run
    agent = source.format(steps=steps)
    run: Callable[[int], str] = lambda _: supervisor.run(agent, Scripted(seconds)).status  # noqa: E731
    with ThreadPoolExecutor(count) as pool:
        started = time.perf_counter()
        statuses = set(pool.map(run, range(count)))
        took = time.perf_counter() - started
    supervisor.stop()
    assert statuses == {"ok"}, statuses
    ideal = steps * seconds
    print(
        f"{tier:<11} {name:<14} {count} at once: {took:6.2f} s, ideal {ideal:g} s, {100 * (took / ideal - 1):+5.1f} %"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=200)
    parser.add_argument("--together", type=int, default=100)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=1.0)
    arguments = parser.parse_args()
    one_after_the_other(arguments.rollouts)
    with Supervisor(step_seconds=9, rollout_seconds=9, cpu_seconds=9, max_steps=9) as best:
        tier = best.tier
    for name, source in (("session", NATIVE), ("openai client", CLIENT)):
        together(tier, name, source, arguments.together, arguments.steps, arguments.seconds)


if __name__ == "__main__":
    main()
