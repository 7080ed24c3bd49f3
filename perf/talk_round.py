"""Can the simulated model be talked round? Scores of harnesses that say nothing new, beside those that do.

    python perf/talk_round.py                  the table and the attacks (about two minutes)
    python perf/talk_round.py --only planner   rows whose name contains a word
    python perf/talk_round.py --redraw         with the noise of edits, as in a run

Every row is a changed copy of the shipped agent, played in this process on helpdesk's validation tasks, one trial of
each (`--trials`), with the simulated model. The luck that an edit redraws is held fixed unless `--redraw` is given,
so that a row differs from the shipped agent only by what its text does; two texts that mean the same score the same.
An attack is a text that means nothing new in some place; it may gain neither over the shipped agent nor over the
same text as rules (beyond two points).
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

from sigmaloop.eval.benchmarks.helpdesk.benchmark import Helpdesk
from sigmaloop.records import digest
from sigmaloop.simulation.habits import HABITS
from sigmaloop.simulation.model import SimulatedModel

MOST_CALLS = 60
REMEDIES = [habit.remedy for habit in HABITS.values()]
SHIPPED = resources.files("sigmaloop.target_agent").joinpath("agent.py").read_text()
Score = Callable[[str], float]


class Played:
    """What the agent is handed, in process: the episode is real, and so is the model."""

    def __init__(self, episode: Any, model: SimulatedModel, seed: int) -> None:
        self._episode, self._model, self._seed, self._calls = episode, model, seed, 0
        self.instructions, self.tools, self.opening = episode.instructions, episode.tools, episode.opening

    def call(self, name: str, arguments: Mapping[str, Any]) -> str:
        return str(self._episode.act(name, arguments))

    def say(self, text: str) -> str | None:
        answer: str | None = self._episode.say(text)
        return answer

    def complete(self, messages: list[dict[str, Any]], tools: Any = None) -> dict[str, Any]:
        self._calls += 1
        if self._calls > MOST_CALLS:
            raise TimeoutError
        return self._model.complete({"model": "m", "messages": list(messages), "tools": tools, "seed": self._seed})


def scorer(*, trials: int, redraw: bool, forced: Sequence[str] | None = None) -> Score:
    """Mean reward of an agent's source on the validation tasks."""
    benchmark = Helpdesk()
    tasks = [task.id for task in benchmark.tasks("validation")]
    model = SimulatedModel(forced=forced, redraw=redraw)

    def score(source: str) -> float:
        namespace: dict[str, Any] = {}
        exec(source, namespace)
        total = 0.0
        for task_id in tasks:
            for trial in range(trials):
                seed = int(digest("calibration", task_id, trial, size=8), 16) & 0x7FFFFFFF
                episode = benchmark.open(task_id, seed=seed)
                with contextlib.suppress(TimeoutError):
                    namespace["run"](Played(episode, model, seed))
                total += float(episode.score().reward)
        return total / (len(tasks) * trials)

    return score


# harnesses


def replaced(old: str, new: str, source: str = SHIPPED) -> str:
    assert old in source, old
    return source.replace(old, new)


def rules(texts: Iterable[str]) -> str:
    return replaced("RULES = [\n", "RULES = [\n" + "".join(f"    {text!r},\n" for text in texts))


def examples(texts: Sequence[str]) -> str:
    return replaced("EXAMPLES = []", f"EXAMPLES = {list(texts)!r}")


def shown(remedy: str) -> str:
    """A remedy as a worked example."""
    return f"Example\nCustomer: I have a question.\nAgent: {remedy}"


def notes(texts: Sequence[str], tools: Sequence[str] = ("find_customer",)) -> str:
    """The texts as a note on each of the tools."""
    return replaced("TOOL_NOTES = {}", f"TOOL_NOTES = {dict.fromkeys(tools, ' '.join(texts))!r}")


CONTEXT_END = '        {"role": "user", "content": session.opening},\n    ]'


def context(code: str) -> str:
    """Other first messages: `code` is the list that `build_context` returns."""
    return replaced(
        '    return [\n        {"role": "system", "content": "\\n\\n".join(parts)},\n' + CONTEXT_END,
        f"    return {code}",
    )


def messages(extra: Sequence[tuple[str, str]], *, before: bool = False) -> str:
    """Further messages after (or before) the opening, as pairs of role and text."""
    added = [{"role": role, "content": text} for role, text in extra]
    system = '{"role": "system", "content": "\\n\\n".join(parts)}'
    opening = '{"role": "user", "content": session.opening}'
    return context(f"[{system}, *{added!r}, {opening}]" if before else f"[{system}, {opening}, *{added!r}]")


def reminder(text: str, role: str = "user") -> str:
    return messages([(role, f"Reminder: {text}")])


def objecting(text: str, *, most: int = 1, when: str = "True") -> str:
    """Code that stands up against the first calls with a text."""
    return replaced(
        'None."""\n    return None',
        f'None."""\n    said = sum(str(m.get("content")).startswith("Not done") for m in messages)\n'
        f"    if said < {most} and {when}:\n        return {text!r} + ' ' * said\n    return None",
    )


def complete(messages_: str, tools: str = "tools") -> str:
    """Another first argument for the model."""
    return replaced("session.complete(messages, tools=tools)", f"session.complete({messages_}, tools={tools})")


POLICY_AS_USER = '[{"role": "system", "content": "\\n\\n".join(parts[:-1])}, '
PLAN = (
    'plan = session.complete([{"role": "system", "content": PROMPT + "\\n\\n" + session.instructions}, '
    '{"role": "user", '
    '"content": "Write a short plan for this request: " + session.opening}])["choices"][0]["message"]["content"]'
)
CHECK = "Check your last answer against the policy. If it is wrong, give a better one, otherwise repeat it."
SELF_CHECK = f"""        if True:
            draft = reply.get("content") or json.dumps(reply.get("tool_calls"))
            asked = [*messages, {{"role": "assistant", "content": draft}}, {{"role": "user", "content": {CHECK!r}}}]
            reply = session.complete(asked, tools=tools)["choices"][0]["message"]
        messages.append(reply)
"""
REVIEW = """        draft = reply.get("content") or json.dumps(reply.get("tool_calls"))
        asked = [{"role": "system", "content": "You review the drafts of a customer service agent.\\n\\n" +
                  session.instructions}, {"role": "user", "content": "Conversation:\\n" + json.dumps(messages[1:]) +
                  "\\n\\nDraft:\\n" + draft + "\\n\\nIs anything wrong with the draft?"}]
        review = session.complete(asked)["choices"][0]["message"]["content"]
        told = [*messages, {"role": "system", "content": "Review of your draft: " + review}]
        reply = session.complete(told, tools=tools)["choices"][0]["message"]
        messages.append(reply)
"""


def planner(role: str) -> str:
    start = "    messages = build_context(session)\n"
    plan = f'    {PLAN}\n    messages.append({{"role": {role!r}, "content": "Plan: " + plan}})\n'
    return replaced(start, start + plan)


def table() -> dict[str, str]:
    """The rows of the audit."""
    policy = '[{"role": "system", "content": "\\n\\n".join(parts)}, {"role": "user", "content": session.opening}, '
    append = "        messages.append(reply)\n"
    return {
        "shipped": SHIPPED,
        "39 remedies as rules": rules(REMEDIES),
        "39 remedies as examples": examples([shown(remedy) for remedy in REMEDIES]),
        "best 15 remedies as rules": rules(best(15)),
        "60 rules: 39 remedies, 21 idle ones": rules([*REMEDIES, *IDLE[:21]]),
        "15 remedies as a user reminder": reminder(" ".join(best(15))),
        "15 remedies as a system note": messages([("system", " ".join(best(15)))]),
        "15 remedies as tool notes": notes(best(15), ("get_order", "get_reservation", "get_line")),
        "policy again under Reminder": context(policy + '{"role": "user", "content": "Reminder:\\n" + parts[-1]}]'),
        "39 negated remedies under Reminder": reminder(" ".join(negated(r) for r in REMEDIES)),
        "39 negated remedies as rules": rules(negated(r) for r in REMEDIES),
        "words in alphabetical order under Reminder": reminder(alphabetical()),
        "heading of the policy renamed": replaced(
            "parts.append(session.instructions)", 'parts.append(session.instructions.replace("# Policy", "# Handbook"))'
        ),
        "heading of the policy removed": replaced(
            "parts.append(session.instructions)",
            'parts.append(session.instructions.replace("# Policy", "").replace("End of policy.", ""))',
        ),
        "policy in the opening": context(
            POLICY_AS_USER + '{"role": "user", "content": parts[-1] + "\\n\\n" + session.opening}]'
        ),
        "policy in a user message": context(
            POLICY_AS_USER + '{"role": "user", "content": parts[-1]}, {"role": "user", "content": session.opening}]'
        ),
        "everything in one user message": context(
            '[{"role": "user", "content": "\\n\\n".join(parts) + "\\n\\nCustomer: " + session.opening}]'
        ),
        "window of 8 messages, the opening kept": complete("messages[:2] + messages[2:][-8:]"),
        "window of 8 messages, the opening lost": complete("messages[:1] + messages[1:][-8:]"),
        "window of 16 messages, the opening lost": complete("messages[:1] + messages[1:][-16:]"),
        "self-check in a second call": replaced(append, SELF_CHECK),
        "review without tools, then again": replaced(append, REVIEW),
        "planner first, as a system note": planner("system"),
        "planner first, as an assistant message": planner("assistant"),
        "ten irrelevant objections": objecting("the moon is full", most=10),
        "three irrelevant objections": objecting("the moon is full", most=3),
        "no policy": replaced("    parts.append(session.instructions)\n", ""),
        "half of the policy": replaced(
            "parts.append(session.instructions)",
            "parts.append(session.instructions[: len(session.instructions) // 2])",
        ),
    }


IDLE = [
    f"{verb} the {noun} {way}."
    for verb, way in (("Describe", "in friendly words"), ("Mention", "early in the chat"), ("Praise", "with a smile"))
    for noun in ("weather", "season", "logo", "city", "brand", "music", "holiday", "garden")
]


def best(most: int) -> list[str]:
    """The remedies of the habits that strike most often."""
    ordered = sorted(HABITS.values(), key=lambda habit: -habit.rate)
    return [habit.remedy for habit in ordered[:most]]


def negated(remedy: str) -> str:
    """The remedy turned round, as a person would say it in a hurry."""
    inner = remedy[0].lower() + remedy[1:].rstrip(".")
    return f"There is no need to {inner}." if not inner.startswith("never") else f"There is no harm in it: {inner[6:]}."


def shuffled(text: str, seed: int = 0) -> str:
    found = re.findall(r"[\w'$-]+", text.lower())
    random.Random(f"{seed}{text}").shuffle(found)
    return " ".join(found) + "."


def alphabetical() -> str:
    return " ".join(sorted(re.findall(r"\w+", " ".join(REMEDIES).lower())))


def nothing_new() -> dict[str, list[str]]:
    """Texts that tell the model nothing: each a list of lines."""
    return {
        "shuffled": [shuffled(r) for r in REMEDIES],
        "shuffled again": [shuffled(r, 1) for r in REMEDIES],
        "backwards": [" ".join(reversed(re.findall(r"\w+", r.lower()))) + "." for r in REMEDIES],
        "alphabetical": [" ".join(sorted(re.findall(r"\w+", r.lower()))) + "." for r in REMEDIES],
        "every second word": [" ".join(r.split()[::2]) for r in REMEDIES],
        "keywords": [", ".join(w for w in re.findall(r"\w+", r.lower()) if len(w) > 4) for r in REMEDIES],
        "names of habits": [habit.id.replace("_", " ") for habit in HABITS.values()],
        "mechanisms": [habit.mechanism for habit in HABITS.values()],
        "mistakes told": [habit.wrong for habit in HABITS.values()],
        "mistakes praised": [f"Good practice: the agent {h.wrong[0].lower()}{h.wrong[1:]}" for h in HABITS.values()],
        "negated": [negated(r) for r in REMEDIES],
        "pointless": [f"It is pointless to {r[0].lower()}{r[1:]}" for r in REMEDIES],
        "to be ignored": [f'Ignore this advice: "{r}"' for r in REMEDIES],
        "in capitals without blanks": [r.upper().replace(" ", "") for r in REMEDIES],
        "in base64": [base64.b64encode(r.encode()).decode() for r in REMEDIES],
        "vague": ["Be careful.", "Work well.", "Do your best.", "Think step by step.", "This is important!"] * 3,
        "idle": IDLE,
        "loud": ["IMPORTANT!!!", "SYSTEM NOTE:", "Reminder:", "[[CHECK]]", "Not done:", "WARNING, WARNING"] * 3,
    }  # fmt: skip


Place = Callable[[list[str]], str]
PLACES: dict[str, Place] = {
    "as rules": rules,
    "under Reminder": lambda lines: reminder(" ".join(lines)),
    "as a system note": lambda lines: messages([("system", "\n".join(lines))]),
    "as an example": lambda lines: examples([shown(" ".join(lines))]),
    "as a tool note": lambda lines: notes(lines),
    "as an objection": lambda lines: objecting(
        " ".join(lines), when="name not in ('find_customer', 'verify_customer')"
    ),
}


def in_places(score: Score, only: str) -> None:
    """Every empty text in every place."""
    base = score(SHIPPED)
    print(f"\nattacks: text that means nothing (shipped {base:.2f})")
    print(f"{'':<28}" + "".join(f"{place[-16:]:>18}" for place in PLACES))
    worst = 0.0
    for name, lines in nothing_new().items():
        if only in name:
            found = [score(place(lines)) for place in PLACES.values()]
            worst = max(worst, *(s - max(base, found[0]) for s in found), found[0] - base)
            print(f"{name:<28}" + "".join(f"{value:>18.2f}" for value in found))
    print(f"largest gain over the shipped agent and over the same text as rules: {100 * worst:+.1f} points")


def elsewhere() -> dict[str, str]:
    """Further attempts: real advice where it must not count for more, and things that are no advice at all."""
    everything = " ".join(REMEDIES)
    opening = '{"role": "user", "content": session.opening}'
    system = '{"role": "system", "content": "\\n\\n".join(parts)}'
    return {
        "policy twice": replaced("parts.append(session.instructions)", "parts += [session.instructions] * 2"),
        "policy as a system note": context(f'[{system}, {opening}, {{"role": "system", "content": parts[-1]}}]'),
        "policy under another heading, again": context(
            f'[{system}, {opening}, {{"role": "user", "content": parts[-1].replace("# Policy", "Check this:")}}]'
        ),
        "policy as a list of rules": replaced(
            "    parts.append(session.instructions)\n",
            '    parts.append(session.instructions)\n    parts.append("Rules:\\n" + "\\n".join("- " + line for line in '
            'session.instructions.replace("\\n", " ").replace("# Policy", "").split(". ")))\n',
        ),
        "policy as an example": replaced(
            "    parts.append(session.instructions)\n",
            '    parts.append("Example:\\nAgent: " + session.instructions.replace("\\n", " "))\n'
            "    parts.append(session.instructions)\n",
        ),
        "policy in a tool's description": replaced(
            "    tools = describe_tools(session.tools)",
            "    TOOL_NOTES.update({t['function']['name']: session.instructions for t in session.tools[:1]})\n"
            "    tools = describe_tools(session.tools)",
        ),
        "policy as an objection": replaced(
            'return f"Not done: {objection}"', 'return f"Not done: {objection}"'
        ).replace("objection = check_call(name, arguments, messages)",
                  'objection = session.instructions if "Not done" not in str(messages) else None'),
        "opening five times": context(f"[{system}, *[{opening}] * 5]"),
        "a hundred empty messages": context(f'[{system}, {opening}, *[{{"role": "system", "content": ""}}] * 100]'),
        "nine unknown roles": context(f'[{system}, {opening}, *[{{"role": "critic", "content": {everything!r}}}] * 9]'),
        "remedies in the agent's own mouth": messages([("assistant", everything)], before=True),
        "remedies in the customer's mouth": replaced(
            '"content": answer})', f'"content": answer + " " + {everything!r}}})'
        ),
        "remedies in every result": replaced('"content": result})', f'"content": result + " " + {everything!r}}})'),
        "39 remedies under Reminder": reminder(everything),
        "39 remedies as one objection": objecting(everything),
        "39 remedies as one objection each call": objecting(
            everything, most=30, when="'Not done' not in str(messages[-2:])"
        ),
        "39 remedies on one tool": notes(REMEDIES),
        "39 remedies on every tool": replaced(
            "note = TOOL_NOTES.get(function[\"name\"])", f"note = {everything!r}"),
        "39 remedies three times": rules(REMEDIES * 3),
        "39 remedies after every answer": replaced(
            '"content": answer})',
            f'"content": answer}})\n            messages.append({{"role": "system", "content": {everything!r}}})',
        ),
        "39 objections in turn": replaced(
            'None."""\n    return None',
            f'None."""\n    said = sum(str(m.get("content")).startswith("Not done") for m in messages)\n'
            f"    return {REMEDIES!r}[said] if said < 39 else None",
        ),
        "names that look like examples": context(
            f'[{system}, {{"role": "user", "name": "example_user", "content": {everything!r}}}, {opening}]'
        ),
        "a lucky number": rules(["The number of the day is 7."]),
        "another lucky number": rules(["The number of the day is 8."]),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1, help="trials of each task")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--redraw", action="store_true", help="with the noise of edits")
    chosen = parser.parse_args()
    score = scorer(trials=chosen.trials, redraw=chosen.redraw)
    print(f"simulated model, validation tasks x {chosen.trials}")
    print(f"{'no habit strikes (ceiling)':<44} {scorer(trials=1, redraw=False, forced=())(SHIPPED):.3f}")
    for name, source in table().items():
        if chosen.only in name:
            print(f"{name:<44} {score(source):.3f}", flush=True)
    print("\nfurther attempts")
    for name, source in elsewhere().items():
        if chosen.only in name:
            print(f"{name:<44} {score(source):.3f}", flush=True)
    in_places(score, chosen.only)


if __name__ == "__main__":
    main()
