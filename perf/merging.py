"""Merging pairs of drafts of the shipped agent: how many merge, whether anything is lost, whether all of it runs.

    python perf/merging.py [--pairs 400] [--seed 0] [--many 8]

Drafts are of two sources: those of the simulated engineer, whose hand is always the same, and those written here in the
hands of several engineers: rules, examples, tool notes, context, checks in code, as literals, appended, over several
lines, with helpers, constants, comments, early returns. Every draft carries words of its own, looked for after merging
by plain text search, and the merged agent is started on a stand-in session.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import resources
from itertools import count
from typing import Any, NamedTuple

from sigmaloop.errors import InadmissibleChange
from sigmaloop.simulation.specialists import changes, edit_points
from sigmaloop.simulation.specialists.request import Request
from sigmaloop.tools.changes.edits import check_change
from sigmaloop.tools.changes.merge import Merged, Part, merge

TOOLS = ("cancel_order", "return_items", "exchange_items", "change_flight", "update_address", "issue_refund")
DOING = ("ask for a clear yes", "verify the customer", "read the details back", "name the fee", "look the order up")
WHEN = ("before you cancel anything", "when money is involved", "if several orders fit", "after a failed call")


class Written(NamedTuple):
    """A draft, and the words that must be in every merge with it."""

    hand: str
    source: str
    marks: tuple[str, ...]


def base_agent() -> str:
    return resources.files("sigmaloop.target_agent").joinpath("agent.py").read_text(encoding="utf-8")


class Hand:
    """One engineer's way of writing: draws a text, a tool and a form."""

    def __init__(self, dice: random.Random, number: int) -> None:
        self.dice = dice
        self.mark = f"case {number}"
        self.tool = dice.choice(TOOLS)
        self.quoted: Callable[[str], str] = dice.choice([edit_points.literal, repr])

    def text(self, more: str = "") -> str:
        words = f"{self.dice.choice(DOING)} {self.dice.choice(WHEN)}"
        return f"{words[0].upper()}{words[1:]}{more}, as in {self.mark}."


def swap(source: str, old: str, new: str) -> str:
    assert source.count(old) == 1, f"{source.count(old)} times: {old}"
    return source.replace(old, new)


RULE = '    "Only do what the policy allows.",\n'
LAST = "    return None\n\n\ndef use_tool"
POLICY = "    parts.append(session.instructions)\n"


def rule_behind(s: str, h: Hand) -> str:
    return swap(s, RULE, f"{RULE}    {h.quoted(h.text())},\n")


def rule_first(s: str, h: Hand) -> str:
    return swap(s, RULE, f"    # most important first\n    {h.quoted(h.text())},\n{RULE}")


def rule_on_one_line(s: str, h: Hand) -> str:
    return swap(s, f"RULES = [\n{RULE}]", f'RULES = ["Only do what the policy allows.", {h.quoted(h.text())}]')


def rule_over_two_lines(s: str, h: Hand) -> str:
    return swap(s, RULE, f'{RULE}    (\n        "Mind this: "\n        {h.quoted(h.text())}\n    ),  # added\n')


def two_rules(s: str, h: Hand) -> str:
    return swap(s, RULE, f"    {h.quoted(h.text(' first'))},\n{RULE}    {h.quoted(h.text(' then'))},\n")


def rule_appended(s: str, h: Hand) -> str:
    return swap(s, "\n# Few-shot", f"RULES.append({h.quoted(h.text())})\n\n# Few-shot")


def rule_extended(s: str, h: Hand) -> str:
    return swap(s, "\n# Few-shot", f"RULES += [\n    {h.quoted(h.text())},\n]\n\n# Few-shot")


def rule_by_name(s: str, h: Hand) -> str:
    named = f"CARE = {h.quoted(h.text())}\n\n"
    return swap(swap(s, RULE, f"{RULE}    CARE,\n"), "# Prompt: short", f"{named}# Prompt: short")


def rule_reworded(s: str, h: Hand) -> str:
    return swap(s, RULE, f"    {h.quoted('Only do what the policy allows: ' + h.text())},\n")


def prompt_line(s: str, h: Hand) -> str:
    return swap(s, 'Be friendly and concise."""', f'Be friendly and concise.\n{h.text()}"""')


def prompt_middle(s: str, h: Hand) -> str:
    return swap(s, "Use the tools to look", f"{h.text()}\nUse the tools to look")


def prompt_sentence(s: str, h: Hand) -> str:
    return swap(s, "friendly and concise.", f"friendly and concise. {h.text()}")


def example_block(s: str, h: Hand) -> str:
    said = f'"""Customer: please, {h.mark} now.\nAgent: {h.text()}\nCustomer: yes.\n[{h.tool}(...)]"""'
    return swap(s, "EXAMPLES = []", f"EXAMPLES = [\n    {said},\n]")


def example_joined(s: str, h: Hand) -> str:
    said = f'    "\\n".join(["Customer: help, {h.mark}.", {h.quoted("Agent: " + h.text())}]),\n'
    return swap(s, "EXAMPLES = []", f"EXAMPLES = [\n{said}]")


def example_named(s: str, h: Hand) -> str:
    return swap(s, "EXAMPLES = []", f"GOOD_CALL = {h.quoted(h.text())}\n\nEXAMPLES = [GOOD_CALL]")


def note(s: str, h: Hand) -> str:
    return swap(s, "TOOL_NOTES = {}", f"TOOL_NOTES = {{\n    {h.quoted(h.tool)}: {h.quoted(h.text())},\n}}")


def note_on_one_line(s: str, h: Hand) -> str:
    return swap(s, "TOOL_NOTES = {}", f"TOOL_NOTES = {{{h.quoted(h.tool)}: {h.quoted(h.text())}}}")


def note_set(s: str, h: Hand) -> str:
    return swap(s, "TOOL_NOTES = {}\n", f'TOOL_NOTES = {{}}\nTOOL_NOTES["{h.tool}"] = {h.quoted(h.text())}\n')


def note_in_code(s: str, h: Hand) -> str:
    added = f'        if function["name"] == "{h.tool}":\n            function["description"] += {h.quoted(h.text())}\n'
    return swap(s, '        described.append({"type"', f'{added}        described.append({{"type"')


def reminder_after_policy(s: str, h: Hand) -> str:
    return swap(s, POLICY, f"{POLICY}    parts.append({h.quoted('Keep in mind: ' + h.text())})\n")


def reminder_before_policy(s: str, h: Hand) -> str:
    return swap(s, POLICY, f"    # said early\n    parts.insert(1, {h.quoted(h.text())})\n{POLICY}")


def reminder_when(s: str, h: Hand) -> str:
    added = f'    if "cancel" in session.opening.lower():\n        parts.append({h.quoted(h.text())})\n'
    return swap(s, POLICY, POLICY + added)


def reminder_as_message(s: str, h: Hand) -> str:
    old = '    return [\n        {"role": "system", "content": "\\n\\n".join(parts)},\n'
    return swap(s, old, f'{old}        {{"role": "system", "content": {h.quoted(h.text())}}},\n')


def check_inline(s: str, h: Hand) -> str:
    added = f'    if name == "{h.tool}" and "yes" not in str(messages[-1].get("content")).lower():\n'
    return swap(s, LAST, f"{added}        return {h.quoted(h.text())}\n{LAST}")


def check_reminder(s: str, h: Hand) -> str:
    added = (
        f"    reminder = {h.quoted(h.text())}\n"
        '    told = any(reminder in str(m.get("content")) for m in messages if m["role"] == "tool")\n'
        f'    if name == "{h.tool}" and not told:\n        return reminder\n'
    )
    return swap(s, LAST, added + LAST)


def check_heard(s: str, h: Hand) -> str:
    added = (
        '    heard = [str(m.get("content")).lower() for m in messages if m["role"] == "user"][1:]\n'
        '    agreed = any(w in text for text in heard for w in ("yes", "ok", "go ahead"))\n'
        f'    if name == "{h.tool}" and not agreed:  # no yes yet\n        return {h.quoted(h.text())}\n'
    )
    return swap(s, LAST, added + LAST)


def check_with_helper(s: str, h: Hand) -> str:
    words = h.dice.sample(["yes", "ok", "sure", "go ahead", "please do"], 3)
    helper = (
        'def said_yes(messages):\n    """Whether the customer agreed in the last turn."""\n'
        '    last = next((m for m in reversed(messages) if m["role"] == "user"), {})\n'
        f'    return any(word in str(last.get("content")).lower() for word in {tuple(words)!r})\n\n\n'
    )
    added = f'    if name == "{h.tool}" and not said_yes(messages):\n        return {h.quoted(h.text())}\n'
    return swap(swap(s, LAST, added + LAST), "def check_call", f"{helper}def check_call")


def check_by_table(s: str, h: Hand) -> str:
    table = f"NEEDS = {{\n    {h.quoted(h.tool)}: {h.quoted(h.text())},\n}}\n\n\n"
    added = "    if name in NEEDS and not arguments.get('confirmed'):\n        return NEEDS[name]\n"
    return swap(swap(s, LAST, added + LAST), "def check_call", f"{table}def check_call")


def check_early_out(s: str, h: Hand) -> str:
    added = (
        f'    if name != "{h.tool}":\n        return None\n'
        f"    if len(messages) < 4:\n        return {h.quoted(h.text())}\n"
    )
    return swap(s, LAST, added + LAST)


def check_first(s: str, h: Hand) -> str:
    doc = '    """A last look at a tool call before it happens: a reason not to make it, or None."""\n'
    added = f'    if name.startswith("{h.tool[:6]}") and not arguments:\n        return {h.quoted(h.text())}\n'
    return swap(s, doc, doc + added)


def check_loop(s: str, h: Hand) -> str:
    added = (
        "    for value in arguments.values():\n"
        f'        if name == "{h.tool}" and value in ("", None):\n            return {h.quoted(h.text())}\n'
    )
    return swap(s, LAST, added + LAST)


def check_returned(s: str, h: Hand) -> str:
    one = f'    return {h.quoted(h.text())} if name == "{h.tool}" and not arguments else None\n\n\ndef use_tool'
    return swap(s, LAST, one)


def tool_refused(s: str, h: Hand) -> str:
    added = f'    if name == "{h.tool}" and not arguments:\n        return {h.quoted("Error: " + h.text())}\n'
    return swap(s, "    objection = check_call", f"{added}    objection = check_call")


def tool_retried(s: str, h: Hand) -> str:
    old = "    return session.call(name, arguments)\n"
    new = (
        "    result = session.call(name, arguments)\n"
        f'    if "error" in result.lower():\n        result += {h.quoted(" " + h.text())}\n    return result\n'
    )
    return swap(s, old, new)


def turn_counted(s: str, h: Hand) -> str:
    tools = "    tools = describe_tools(session.tools)\n"
    s = swap(s, tools, f"{tools}    turns = 0\n")
    said = f"            messages.append(dict(role='system', content={h.quoted(h.text())}))\n"
    added = f"        turns += 1\n        if turns == 12:\n{said}"
    return swap(s, "        reply = session.complete", f"{added}        reply = session.complete")


def answer_checked(s: str, h: Hand) -> str:
    added = f"            if not reply.get('content'):\n                reply['content'] = {h.quoted(h.text())}\n"
    return swap(s, "            answer = session.say", f"{added}            answer = session.say")


def import_and_pattern(s: str, h: Hand) -> str:
    s = swap(s, "import json\n", "import json\nimport re\n")
    added = (
        f'    if name == "{h.tool}" and not re.search(r"[A-Z]", str(arguments)):\n        return {h.quoted(h.text())}\n'
    )
    return swap(s, LAST, added + LAST)


HANDS: dict[Callable[[str, Hand], str], float] = {
    rule_behind: 10, rule_first: 4, rule_on_one_line: 3, rule_over_two_lines: 3, two_rules: 3, rule_appended: 1.5,
    rule_extended: 1.5, rule_by_name: 1.5, rule_reworded: 1, prompt_line: 3, prompt_middle: 2, prompt_sentence: 2,
    example_block: 6, example_joined: 2, example_named: 2, note: 6, note_on_one_line: 2, note_set: 2, note_in_code: 2,
    reminder_after_policy: 4, reminder_before_policy: 2, reminder_when: 2, reminder_as_message: 0.7, check_inline: 5,
    check_reminder: 4, check_heard: 4, check_with_helper: 4, check_by_table: 3, check_early_out: 1, check_first: 2,
    check_loop: 2, check_returned: 0.7, tool_refused: 2, tool_retried: 1, turn_counted: 1, answer_checked: 1,
    import_and_pattern: 2,
}  # fmt: skip
"""How often each way of writing is met: rules and checks most, rewritten statements seldom."""


def written(dice: random.Random, number: int, base: str) -> Written:
    """A draft in one of the hands; now and then two things in one draft."""
    hand = Hand(dice, number)
    forms = dice.choices(list(HANDS), weights=list(HANDS.values()), k=1 + (dice.random() < 0.15))
    source = base
    for form in forms:
        try:
            source = form(source, hand)
        except AssertionError:
            continue
    return Written("+".join(f.__name__ for f in forms), source, (hand.mark,))


def simulated(dice: random.Random, number: int, base: str) -> Written:
    """A draft as the simulated engineer writes it."""
    hand = Hand(dice, number)
    request = Request({"messages": [{"role": "user", "content": f"draft {number} {dice.random()}"}]})
    kind = dice.choices(changes.KINDS, weights=[0.42, 0.2, 0.17, 0.15, 0.06])[0]
    # Not as a specific remedy, which would be worded anew for its place and lose its mark.
    plan = changes.Plan("half", kind, hand.text(), "cause", hand.tool, dice.random() < 0.3)
    edit = changes.edit(plan, base, request)
    assert edit is not None
    return Written(f"simulated {kind}", edit.apply(base), (hand.mark,))


def drafts(seed: int, base: str) -> Iterator[Written]:
    """Endless; a third is of the simulated engineer. Each is admissible by itself."""
    dice = random.Random(f"drafts {seed}")
    for number in count(1000):
        draft = (simulated if dice.random() < 1 / 3 else written)(dice, number, base)
        try:
            check_change(base, draft.source, task_ids=())
        except InadmissibleChange:
            continue
        yield draft


class _Session:
    """The least that an agent can talk to: one tool call of each kind, then a word."""

    instructions, opening = "The policy.", "Please cancel my order."

    def __init__(self) -> None:
        self.tools = [{"type": "function", "function": {"name": t, "description": "It does."}} for t in TOOLS]
        self.turns = 0
        self.shown = ""

    def complete(self, messages: list[dict[str, Any]], tools: Any = None) -> dict[str, Any]:
        self.shown += str(messages) + str(tools)
        self.turns += 1
        calls = [{"id": t, "function": {"name": t, "arguments": '{"order": ""}'}} for t in TOOLS]
        message = {"role": "assistant", "content": "", "tool_calls": calls if self.turns == 1 else None}
        return {"choices": [{"message": message}]}

    def call(self, name: str, arguments: dict[str, Any]) -> str:
        return f"{name}: error"

    def say(self, text: str) -> str | None:
        return "yes" if self.turns < 4 else None


def runs(source: str) -> bool:
    """Whether the agent goes through a conversation without an exception."""
    space: dict[str, Any] = {}
    try:
        exec(compile(source, "agent.py", "exec", dont_inherit=True), space)
        space["run"](_Session())
    except Exception:
        return False
    return True


class Tally(NamedTuple):
    """What merging groups of drafts came to."""

    groups: int
    whole: int
    """All drafts of the group are in."""
    left_out: int
    """Drafts that were left out."""
    lost: int
    """Drafts named as merged whose words are not there."""
    broken: int
    """Merged agents that do not run."""
    reasons: Counter[str]


def tally(groups: list[list[Written]], base: str) -> Tally:
    whole = left = lost = broken = 0
    reasons: Counter[str] = Counter()
    for group in groups:
        parts = [Part(f"D{number:03}", draft.source) for number, draft in enumerate(group)]
        merged: Merged = merge(base, parts)
        held = [draft for number, draft in enumerate(group) if f"D{number:03}" in merged.parts]
        whole += len(held) == len(group)
        left += len(group) - len(held)
        lost += sum(merged.source.count(m) < base.count(m) + 1 for draft in held for m in draft.marks)
        broken += not runs(merged.source)
        reasons.update(f"{c.where}: {c.why}" for c in merged.conflicts)
    return Tally(len(groups), whole, left, lost, broken, reasons)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--many", type=int, default=8, help="drafts of the larger groups")
    given = parser.parse_args()
    base = base_agent()
    failed = False
    for size in (2, given.many):
        stream = drafts(given.seed + size, base)
        groups = [[next(stream) for _ in range(size)] for _ in range(given.pairs)]
        began = time.perf_counter()
        found = tally(groups, base)
        took = 1000 * (time.perf_counter() - began) / found.groups
        print(f"{found.groups} groups of {size} drafts, {took:.0f} ms each: all merged in {found.whole} "
              f"({found.whole / found.groups:.1%}), left out {found.left_out} of {size * found.groups}, "
              f"additions lost {found.lost}, not running {found.broken}")  # fmt: skip
        for reason, number in found.reasons.most_common(12):
            print(f"  {number:>4}  {reason}")
        failed |= found.lost > 0 or found.broken > 0 or (size == 2 and found.whole < 0.9 * found.groups)
    sys.exit(failed)


if __name__ == "__main__":
    main()
