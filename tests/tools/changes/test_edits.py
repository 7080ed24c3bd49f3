"""What a change may touch, read as text and syntax, never executed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.errors import BadInput, InadmissibleChange
from sigmaloop.tools.changes.edits import MAX_BYTES, check_agent, check_change, replace_text, unified_diff

PARENT = '''"""An agent."""

RULES = ["Be kind."]


def run(session):
    session.say("hello")
'''
TASKS = ["retail-exchange-0042", "T7x9", "5", "113", "ab"]


@pytest.mark.parametrize(
    "source",
    [
        PARENT,
        "def run(session, /): pass",
        "def run(*args): pass",
        "def run(session, verbose=False): pass",
        "def run(session=None, *, limit=3): pass",
        "def run(a, b): pass\ndef run(session): pass",
        "import os\nos.abort()\ndef run(session): pass",
        "def run(session): return '\\d'",
    ],
)
def test_an_agent_is_a_file_with_a_run_that_takes_the_session(source: str) -> None:
    check_agent(source, "mine.py")


@pytest.mark.parametrize(
    ("source", "message"),
    {
        "empty": ("", "it is empty"),
        "blank": (" \n\n", "it is empty"),
        "not Python": ("x = 1\ndef run(session:\n", r"line 2: not valid Python: '\(' was never closed"),
        "prose": ("Dear model,\nplease help.", "line 1: not valid Python"),
        "a return outside": ("def run(session): pass\nreturn 5", "line 2: not valid Python: 'return' outside function"),
        "an await outside": ("def run(session): await x", "line 1: not valid Python: 'await' outside async function"),
        "Python 2": ("print 'a'\ndef run(session): pass", "line 1: not valid Python"),
        "NUL": ("def run(session): pass\0", "NUL bytes"),
        "deep": ("x = " + "-" * 100_000 + "1\ndef run(session): pass", "not valid Python"),
        "large": ("def run(session): pass\n" + "#" * MAX_BYTES, "larger than 256000 bytes"),
        "large in bytes": ("def run(session): pass\n#" + "é" * (MAX_BYTES // 2), "larger than 256000 bytes"),
        "no run": ("def go(session): pass", "no top-level `def run"),
        "run in a class": ("class A:\n    def run(session): pass", "no top-level `def run"),
        "run without arguments": ("def run(): pass", "line 1: run must take one argument"),
        "run with two": ("\ndef run(session, tools): pass", "line 2: run must take one argument"),
        "run with a keyword": ("def run(session, *, limit): pass", "run must take one argument"),
        "run only with keywords": ("def run(*, session=None): pass", "run must take one argument"),
        "the last run counts": ("def run(session): pass\ndef run(): pass", "line 2: run must take one argument"),
    }.values(),
)
def test_what_is_no_agent_is_bad_input_that_says_why(source: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        check_agent(source, "mine.py")
    assert str(caught.value).startswith("agent file mine.py: ")


def code_of(source: str, parent: str = PARENT) -> str | None:
    try:
        check_change(parent, source, task_ids=TASKS)
    except InadmissibleChange as refused:
        return refused.code
    return None


def test_a_real_change_is_admitted() -> None:
    assert code_of(PARENT.replace("Be kind.", "Be kind and quick, within 5 days, by 113 %.")) is None


@pytest.mark.parametrize(
    ("code", "source"),
    [
        ("unchanged", PARENT),
        ("unchanged", PARENT.replace("RULES", "# a comment\nRULES")),
        ("unchanged", PARENT.replace('["Be kind."]', "[\n    'Be kind.',\n]")),
        ("syntax", PARENT + "def ("),
        ("syntax", PARENT + "return"),
        ("syntax", PARENT + "\0"),
        ("no_run", PARENT.replace("run", "ran")),
        ("no_run", ""),
        ("too_large", PARENT + "# " + "x" * 8_000 + "\nx = 1\n"),
        ("too_large", PARENT + "#" * MAX_BYTES),
    ],
)
def test_an_inadmissible_change_has_a_code(code: str, source: str) -> None:
    assert code_of(source) == code


def test_a_change_that_nobody_could_read_whole_is_too_large() -> None:
    large = PARENT + "".join(f"x{n} = 'a plain line'\n" for n in range(3_000))
    assert code_of(large.replace("a plain line", "another line"), large) == "too_large"
    assert code_of(large.replace("x7 = 'a plain", "x7 = 'another"), large) is None


@pytest.mark.parametrize("terms", [300, 900, 2_000, 20_000])
def test_an_expression_nested_too_deeply_is_refused_with_a_code(terms: int) -> None:
    assert code_of(PARENT + "x = 1" + "+ 1" * terms + "\n") == "syntax"


def test_a_long_sum_and_a_long_choice_are_read() -> None:
    choice = "if n == 0:\n    x = 0\n" + "".join(f"elif n == {n}:\n    x = {n}\n" for n in range(1, 100))
    assert code_of(PARENT + "x = 1" + "+ 1" * 100 + "\n" + "n = 3\n" + choice) is None


def test_a_large_agent_may_double() -> None:
    large = PARENT + "x = '" + "x " * 10_000 + "'\n"
    assert code_of(large + "y = '" + "y " * 10_000 + "'\n", large) is None
    assert code_of(large + "y = '" + "y " * 10_100 + "'\n", large) == "too_large"


@pytest.mark.parametrize(
    "line",
    [
        'x = "retail-exchange-0042"',
        'x = "For Retail-Exchange-0042 do this."',
        "x = f'{1} retail-exchange-0042'",
        "x = b'retail-exchange-0042'",
        'x = "retail-exchange" "-0042"',
        'x = "retail-exchange" + "-0042"',
        'x = "retail\\x2dexchange-0042"',
        "x = 1  # retail-exchange-0042",
        'def f():\n    """See T7x9."""',
        "x = {'T7x9': 1}",
        "def f(t7x9): pass",
        "x = y == '5'",
        "x = y in ('113', 'z')",
    ],
)
def test_a_change_that_names_a_task_is_refused(line: str) -> None:
    assert code_of(PARENT + line + "\n") == "names_task"


@pytest.mark.parametrize(
    "line", ["x = 5", "x = 'within 5 days'", "x = 'aT7x9b'", "x = 'retail-exchange-00421'", "x = 'cabs'", "x = 113"]
)
def test_what_only_looks_like_a_task_id_is_admitted(line: str) -> None:
    assert code_of(PARENT + line + "\n") is None


def test_a_task_that_the_parent_names_already_is_no_reason() -> None:
    parent = PARENT + "# see T7x9\n"
    assert code_of(parent + "x = 1\n", parent) is None


@given(st.text(max_size=200))
def test_any_text_is_admitted_or_refused_with_a_code(source: str) -> None:
    assert code_of(source) in {"unchanged", "syntax", "no_run", "too_large", "forbidden", "names_task", None}


def test_text_is_replaced_where_it_stands_once() -> None:
    assert replace_text("a b c", "b", "x") == "a x c"
    assert replace_text("a b c", " b", "") == "a c"


@pytest.mark.parametrize(("old", "message"), [("z", "0 times"), ("a", "2 times"), ("", "is empty")])
def test_text_that_does_not_stand_there_once_is_not_replaced(old: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        replace_text("a b a", old, "x")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (PARENT, PARENT.replace("kind", "quick")),
        ("a\nb\nc", "a\nb\nd"),
        ("a\nb\n", "a\nb"),
        ("a\nb", "a\nb\n"),
        ("a\x0cb\r\nc\n", "a\x0cc\r\nc\n"),
        ("é\u2028f\n", "è\u2028f\n"),
        ("a\n", ""),
    ],
)
def test_the_diff_is_one_that_git_applies(a: str, b: str, tmp_path: Path) -> None:
    place = tmp_path / "agent.py"
    place.write_bytes(a.encode())
    diff = unified_diff(a, b)
    command = ["git", "apply", "--whitespace=nowarn", "--allow-empty", "-"]
    subprocess.run(command, cwd=tmp_path, input=diff.encode(), check=True)
    assert place.read_bytes().decode() == b


def test_equal_texts_have_no_diff() -> None:
    assert unified_diff(PARENT, PARENT) == ""
