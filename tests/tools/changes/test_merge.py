"""Merging drafts of one agent file: what is united, what is a conflict, and that nothing added is ever lost."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.tools.changes.merge import Merged, Part, merge
from sigmaloop.tools.changes.merge_check import lost, unresolved

ROOT = Path(__file__).parents[3]
BASE = '''"""An agent."""

import json

PROMPT = """Help the customer.
Be kind."""

# Rules that hold always.
RULES = [
    "Follow the policy.",  # above all
]
EXAMPLES = []
NOTES = {"refund": "Pays money back."}


def check(name, messages):
    """Why not, or None."""
    return None


def run(session):
    messages = [PROMPT, *RULES]
    for message in messages:
        session.say(message)
'''


def perf_merging() -> ModuleType:
    name = "merging"
    spec = importlib.util.spec_from_file_location(name, ROOT / "perf" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


MERGING = perf_merging()


def swap(old: str, new: str) -> str:
    assert BASE.count(old) == 1
    return BASE.replace(old, new)


def both(one: str, two: str) -> Merged:
    return merge(BASE, [Part("D1", one), Part("D2", two)])


def rule(text: str) -> str:
    return swap("# above all\n", f'# above all\n    "{text}",\n')


def check(lines: str) -> str:
    return swap("    return None\n", f"{lines}    return None\n")


def test_two_rules_behind_one_rule_are_two_rules_and_comments_stay() -> None:
    merged = both(rule("Ask first."), rule("Look it up.").replace('"Look', '# seen in May\n    "Look'))
    assert merged.conflicts == ()
    assert (
        """RULES = [
    "Follow the policy.",  # above all
    "Ask first.",
    # seen in May
    "Look it up.",
]"""
        in merged.source
    )
    assert merged.source.startswith(BASE[: BASE.index("RULES = [")])


def test_the_order_is_that_of_the_ids_whoever_is_stronger() -> None:
    one, two = Part("D1", rule("Ask first.")), Part("D2", rule("Look it up."))
    assert merge(BASE, [two, one]).source == merge(BASE, [one, two]).source


def test_the_same_addition_of_both_is_there_once() -> None:
    merged = both(rule("Ask first."), rule("Ask first.") + "\n\nLIMIT = 3\n")
    assert merged.source.count("Ask first.") == 1
    assert "LIMIT = 3" in merged.source


def test_notes_on_one_tool_follow_each_other_and_settings_do_not() -> None:
    one = swap("Pays money back.", "Pays money back. Ask for a yes.")
    two = swap("Pays money back.", "Pays money back. Name the fee.")
    assert '"Pays money back. Ask for a yes. Name the fee."' in both(one, two).source
    new = [swap('back."}', f'back.", "model": "{name}"}}') for name in ("small", "large")]
    assert both(*new).conflicts[0].why.startswith("both set")


def test_lines_of_a_prompt_are_united() -> None:
    merged = both(swap('Be kind."""', 'Be kind.\nAsk."""'), swap("Help the customer.\n", "Help the customer.\nLook.\n"))
    assert 'PROMPT = """Help the customer.\nLook.\nBe kind.\nAsk."""' in merged.source


def test_checks_in_one_place_follow_each_other() -> None:
    first = '    told = name in messages\n    if not told:\n        return "tell"\n'
    second = '    told = len(messages)\n    if told < 2:\n        return "wait"\n'
    merged = both(check(first), check(second))
    assert first + second + "    return None\n" in merged.source, "each sets its own before it reads it"


def test_who_may_leave_without_a_word_comes_last() -> None:
    quiet = '    if name != "refund":\n        return None\n'
    loud = '    if not messages:\n        return "greet first"\n'
    merged = both(check(quiet), check(loud))
    assert merged.source.index(loud) < merged.source.index(quiet)
    assert both(check(quiet), check(quiet.replace("refund", "cancel"))).conflicts[0].why.startswith("each leaves")


@pytest.mark.parametrize(
    ("one", "two", "why"),
    [
        (swap('"Follow the policy."', '"Follow it."'), rule("Ask."), "removed or reworded"),
        (
            swap("    return None\n", '    return "no"\n'),
            check("    if name:\n        return name\n"),
            "more than insert",
        ),
        (check("    seen = 1\n"), check("    if seen:\n        return name\n"), "which the other reads"),
        (
            check('    if name == "x":\n        return "y"\n    return "z"\n'),
            check("    name = name.strip()\n"),
            "ends it",
        ),
        (BASE + '\nRULES = ["Only this."]\n', rule("Ask."), "sets it anew"),
        (BASE + '\nNOTES["cancel"] = "a"\n', BASE + '\nNOTES["cancel"] = "b"\n', "sets it anew"),
        (swap("EXAMPLES = []\n", ""), swap("EXAMPLES = []", 'EXAMPLES = ["Hello."]'), "removed what the other"),
        (swap("def check(name, messages)", "def check(name, seen)"), check("    name = 1\n"), "more than insert"),
        (rule("Ask."), "def run(session:\n", "no Python"),
    ],
)
def test_what_cannot_be_had_together_leaves_the_weaker_out_and_says_why(one: str, two: str, why: str) -> None:
    merged = both(one, two)
    assert merged.parts == ("D1",)
    assert merged.source == one
    [conflict] = merged.conflicts
    assert why in conflict.why
    assert conflict.part == "D2"
    assert conflict.others == ("D1",)
    assert "D2 is left out beside D1" in conflict.message


def test_a_name_that_two_give_to_different_things_is_told_apart() -> None:
    helper = "def said(messages):\n    return 'yes' in messages\n\n\ndef check(name"
    use = "    if not said(messages):\n        return {}\n    return None\n"
    one = swap("def check(name", helper).replace("    return None\n", use.format("'one'"))
    two = swap("def check(name", helper.replace("'yes'", "'ok'")).replace("    return None\n", use.format("'two'"))
    merged = both(one, two)
    assert merged.conflicts == ()
    space: dict[str, object] = {}
    exec(merged.source, space)
    checked = space["check"]
    assert callable(checked)
    assert [checked("x", m) for m in (["yes", "ok"], ["ok"], ["yes"])] == [None, "one", "two"]


def test_a_helper_that_one_removes_and_the_other_uses_is_a_conflict() -> None:
    base = BASE + "\n\ndef helper():\n    return 1\n"
    using = base.replace("    return None\n", "    if helper():\n        return name\n    return None\n")
    merged = merge(base, [Part("D1", BASE), Part("D2", using)])
    assert merged.conflicts[0].why == "nobody defines helper"


def test_one_part_comes_back_as_it_is_and_an_id_is_given_once() -> None:
    odd = rule("Ask.").replace("    messages = [", "    messages  =  [") + "# end"
    assert merge(BASE, [Part("D1", odd)]).source == odd
    assert merge(BASE, []).source == BASE
    with pytest.raises(ValueError, match="id of its own"):
        merge(BASE, [Part("D1", BASE), Part("D1", BASE)])


def test_what_is_lost_and_what_nobody_defines_is_found_without_the_merge() -> None:
    assert lost(BASE, rule("Ask."), BASE)
    assert lost(BASE, check("    x = 1\n"), BASE)
    assert lost(BASE, swap("Be kind.", "Be kind. Ask."), BASE)
    assert lost(BASE, rule("Ask."), both(rule("Ask."), rule("Look.")).source) == []
    assert unresolved(BASE) == set()
    assert unresolved(BASE + "\n\ndef f():\n    return gone + len([])\n") == {"gone"}


def test_inside_a_loop_and_between_statements_with_other_indentation() -> None:
    one = swap("        session.say(message)\n", "        session.say(message)\n        session.rest()\n")
    two = one.replace("        session.rest()\n", "").replace(
        "    for message", "    messages.append('end')\n    for message"
    )
    wide = swap("    messages = [PROMPT, *RULES]\n    for message in messages:\n        session.say(message)\n",
                "        messages = [PROMPT, *RULES]\n        if not messages:\n            session.say('none')\n"
                "        for message in messages:\n            session.say(message)\n")  # fmt: skip
    assert "        session.say(message)\n        session.rest()\n" in both(one, two).source
    assert "    if not messages:\n        session.say('none')\n" in both(wide, one).source


SHIPPED = MERGING.base_agent()


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_whatever_engineers_write_nothing_is_lost_and_all_of_it_runs(seed: int, size: int) -> None:
    stream = MERGING.drafts(seed, SHIPPED)
    group = [next(stream) for _ in range(size)]
    parts = [Part(f"D{k}", draft.source) for k, draft in enumerate(group)]
    merged = merge(SHIPPED, parts)
    held = [draft for k, draft in enumerate(group) if f"D{k}" in merged.parts]
    assert "D0" in merged.parts, "the strongest is always in"
    assert len(held) + len(merged.conflicts) == size
    assert all(mark in merged.source for draft in held for mark in draft.marks)
    assert MERGING.runs(merged.source)
    assert merge(SHIPPED, parts) == merged
    again = merge(SHIPPED, [part for part in parts[::-1] if part.id in merged.parts])
    assert again.source == merged.source, "who is stronger decides nothing where nothing conflicts"


def test_nine_pairs_of_ten_merge() -> None:
    stream = MERGING.drafts(1, SHIPPED)
    found = MERGING.tally([[next(stream), next(stream)] for _ in range(30)], SHIPPED)
    assert (found.lost, found.broken) == (0, 0)
    assert found.whole >= 27
