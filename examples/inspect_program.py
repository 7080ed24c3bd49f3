"""inspect_ai: `inspect_program.py TASK SAMPLES REQUEST RESULTS`; SAMPLES: ids by split; TASK takes `-T agent=PATH`."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

GRADES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
KINDS = {"user": "user", "assistant": "say", "tool": "act"}


def main(task, samples, request, results):
    request, splits = json.loads(Path(request).read_text()), json.loads(Path(samples).read_text())
    with open(results, "a") as out, tempfile.TemporaryDirectory() as logs:
        if request["do"] == "describe":
            lines = [{"id": str(name), "split": split} for split, names in splits.items() for name in names]
        else:
            ids = ",".join(asked["id"] for asked in request["tasks"])
            options = ["--log-format", "json", "--log-dir", logs, "--sample-id", ids, "-T", f"agent={request['agent']}"]
            subprocess.run(["inspect", "eval", task, *options])
            lines = [result(s) for log in Path(logs).glob("*.json") for s in json.loads(log.read_text())["samples"]]
        for line in lines:
            print(json.dumps(line), file=out, flush=True)


def result(sample):
    """An error or a limit of inspect's is a fault; several scorers count by their mean."""
    name, error = str(sample["id"]), sample.get("error")
    if error or not sample.get("scores"):
        return {"task_id": name, "status": "infra", "detail": (error or {}).get("message", "it was not scored")}
    values = [GRADES.get(s["value"], s["value"]) for s in sample["scores"].values()]
    trace = [{"kind": KINDS[m["role"]], "text": str(m["content"])} for m in sample["messages"] if m["role"] in KINDS]
    return {"task_id": name, "status": "ok", "reward": sum(map(float, values)) / len(values), "trace": trace}


if __name__ == "__main__":
    main(*sys.argv[1:])
