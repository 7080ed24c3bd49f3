"""A program over the JSON lines protocol: `sums_program.py REQUEST RESULTS`. It needs nothing of SigmaLoop."""

import json
import random
import runpy
import sys
from pathlib import Path


def main():
    request = json.loads(Path(sys.argv[1]).read_text())
    with open(sys.argv[2], "a") as results:
        for line in describe() if request["do"] == "describe" else played(request):
            print(json.dumps(line), file=results, flush=True)  # as each task ends: a kill keeps what is there


def describe():
    for split, count in {"train": 8, "validation": 6, "test": 6}.items():
        for number in range(count):
            yield {"id": f"sum-{split}-{number:02d}", "split": split}


def played(request):
    for task in request["tasks"]:
        chance = random.Random(task["seed"])
        a, b = chance.randrange(100), chance.randrange(100)
        trace = [{"kind": "user", "text": f"{a} + {b}"}]
        try:
            said = runpy.run_path(request["agent"])["add"](a, b)
        except Exception as error:
            yield {"task_id": task["id"], "status": "agent_error", "detail": repr(error), "trace": trace}
            continue
        trace.append({"kind": "say", "text": str(said)})
        yield {"task_id": task["id"], "status": "ok", "reward": float(said == a + b), "trace": trace}


if __name__ == "__main__":
    main()
