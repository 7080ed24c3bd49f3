"""The smallest benchmark: a function from an agent's text to rewards, with traces that the failure miner reads.

`sigmaloop benchmark check function_benchmark:Greetings` (with this folder on PYTHONPATH)
"""

from sigmaloop import BenchmarkRunner, Task
from sigmaloop.eval.results import TaskResult, steps

NAMES = {"ada": "Ada", "linus": "Linus", "grace": "Grace"}


class Greetings(BenchmarkRunner):
    """An agent file that defines `greet(name)`; the benchmark hosts it, so there is no sandbox of ours around it."""

    name = "greetings"
    setting = "An agent greets people by name."

    def tasks(self, split):
        return [Task(id=f"{split}-{key}-{number}", split=split) for key in NAMES for number in range(4)]

    def run(self, agent, task_ids, *, seeds):
        return {task_id: self.one(agent, NAMES[task_id.split("-")[1]]) for task_id in task_ids}

    def one(self, agent, name):
        space = {}
        try:
            exec(agent, space)  # a real one would start a process here
            said = str(space["greet"](name))
        except Exception as error:
            return TaskResult(reward=0.0, crashed=True, detail=str(error), trace=steps([("error", repr(error))]))
        trace = steps([("user", f"Greet {name}."), ("say", said)])
        return TaskResult(reward=float(name in said), detail="" if name in said else "the name is missing", trace=trace)
