"""Harbor as a benchmark: `harbor_program.py DATASET TASKS REQUEST RESULTS`; TASKS has task names by split."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

SCORED = {"AgentTimeoutError", "BudgetExceededError", "AgentRefusalError"}  # every other exception is a fault


def main(dataset, tasks, request, results):
    request, splits = json.loads(Path(request).read_text()), json.loads(Path(tasks).read_text())
    with open(results, "a") as out, tempfile.TemporaryDirectory() as jobs:
        lines = [{"id": name, "split": split} for split, names in splits.items() for name in names]
        if request["do"] == "run":
            names = [part for task in request["tasks"] for part in ("--task-name", task["id"])]
            agent = ["--agent-kwarg", f"file={request['agent']}"]
            subprocess.run(["harbor", "run", "--dataset", dataset, "--jobs-dir", jobs, *names, *agent])
            lines = [result(json.loads(path.read_text())) for path in sorted(Path(jobs).glob("*/*/result.json"))]
        for line in lines:
            print(json.dumps(line), file=out, flush=True)


def result(trial):
    """Of several rewards the one called `reward`, else their mean."""
    name, error = trial["task_name"], trial.get("exception_info") or {}
    rewards = (trial.get("verifier_result") or {}).get("rewards") or {}
    if error and error["exception_type"] not in SCORED:
        return {"task_id": name, "status": "infra", "detail": json.dumps(error)}
    if not rewards:
        return {"task_id": name, "status": "timeout" if error else "infra", "detail": "the verifier gave no reward"}
    reward = rewards.get("reward", sum(rewards.values()) / len(rewards))
    return {"task_id": name, "status": "ok", "reward": reward, "components": rewards}


if __name__ == "__main__":
    main(*sys.argv[1:])
