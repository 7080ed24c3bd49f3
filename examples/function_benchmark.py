"""The smallest benchmark: a function from an agent's text to rewards, with traces that the failure miner reads.

`sigmaloop benchmark check function_benchmark:Greetings`
"""

import json
import subprocess
import sys

from sigmaloop import BenchmarkRunner, Task
from sigmaloop.eval.results import TaskResult, steps

CALL = "\nimport json, sys\nprint(json.dumps([str(greet(name)) for name in sys.argv[1:]]))\n"


class Greetings(BenchmarkRunner):
    """An agent file that defines `greet(name)`. A benchmark that hosts the agent has to wall it in by itself."""

    name = "greetings"
    setting = "An agent greets people by name."

    def tasks(self, split):
        return [Task(id=f"{split}-{name}-{n}", split=split) for name in ("Ada", "Linus", "Grace") for n in range(4)]

    def run(self, agent, task_ids, *, seeds):
        names = [task_id.split("-")[1] for task_id in task_ids]
        done = subprocess.run([sys.executable, "-I", "-c", agent + CALL, *names], capture_output=True, text=True)
        if done.returncode:
            crash = TaskResult(reward=0, crashed=True, detail=done.stderr[-200:], trace=steps([("error", done.stderr)]))
            return dict.fromkeys(task_ids, crash)
        said = zip(task_ids, names, json.loads(done.stdout), strict=True)
        return {task_id: result(name, text) for task_id, name, text in said}


def result(name, text):
    trace = steps([("user", f"Greet {name}."), ("say", text)])
    return TaskResult(reward=float(name in text), detail="" if name in text else "the name is missing", trace=trace)
