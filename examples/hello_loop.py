"""Your own benchmark, your own agent, and the loop on both: `python examples/hello_loop.py`. No key, no network.

This agent calls no model; it says what its rules say. The run takes seconds, and you can see why a change helps.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from sigmaloop import EpisodeBenchmark, Run, Score, Task, load_settings

AGENT = """RULES = [
    "We are open from nine to five.",
]


def run(session):
    session.say(" ".join(RULES))
"""


class Call:
    """One episode: a caller who hangs up after the first answer, and wants to be offered more help before that."""

    instructions = "Answer the question. Ask whether the caller needs anything else."
    tools = ()
    opening = "When are you open?"
    heard = ""

    def act(self, name, arguments):
        return "Error: there are no tools"

    def say(self, text):
        self.heard = text  # and None is returned: the conversation is over

    def submit(self, answer):
        self.heard = str(answer)

    def score(self):
        offered = "else" in self.heard
        return Score(reward=float(offered), missing="" if offered else "no more help was offered")


class Calls(EpisodeBenchmark):
    name = "calls"

    def tasks(self, split):
        return [Task(id=f"{split}-{number}", split=split) for number in range(10)]

    def open(self, task_id, *, seed):
        return Call()


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        agent = Path(folder, "agent.py")
        agent.write_text(AGENT)
        settings = load_settings(
            benchmark="hello_loop:Calls", agent=agent, home=folder, upstream="simulated", batches=1, seed=2
        )
        run = Run.start(settings)
        result = run.go().certificate
        for entry in run.ledger():
            print(f"{entry.candidate_id} {entry.outcome}: {entry.summary}")
        print(run.diff())
        print(f"Simulated model, sealed test split: {result.baseline:.2f} -> {result.final:.2f}")
