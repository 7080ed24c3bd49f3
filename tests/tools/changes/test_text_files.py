"""A change to a file that is no program: its grammar, its bounds, what it may not quote or hide."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.errors import BadInput, InadmissibleChange
from sigmaloop.tools.changes.edits import check_agent, check_change
from sigmaloop.tools.changes.file_kinds import Kind, blank_of, kind_of
from sigmaloop.tools.changes.package_modules import PackageModules, modules_of
from sigmaloop.tools.changes.programs import edit_of, same_program

PROMPT = "# Rules\n\n- Be kind.\n"
TASK = "My parcel from the shop in Lyon never came and I want it now"


def refusal(parent: str, text: str, kind: Kind = "text", **options: object) -> str:
    """`code: message` of the refusal; empty when the change is admitted."""
    given: dict[str, object] = {"task_ids": ["retail_order_17", "7"], "texts": (TASK,), "file": "prompt.md", **options}
    try:
        check_change(parent, text, kind=kind, **given)  # type: ignore[arg-type]
    except InadmissibleChange as refused:
        return f"{refused.code}: {refused}"
    return ""


def test_the_suffix_says_how_a_file_is_read() -> None:
    names = ["agent.py", "a.MD", "b.txt", "c.yaml", "d.yml", "e.json", "f.toml"]
    assert [kind_of(name) for name in names] == ["python", "text", "text", "yaml", "yaml", "json", "toml"]


def test_a_program_in_another_language_is_told_what_is_possible() -> None:
    with pytest.raises(BadInput, match=r"agent.ts is TypeScript.*only with a benchmark that runs the agent itself"):
        kind_of("src/agent.ts")
    with pytest.raises(BadInput, match=r"a file that changes is one of .py, .md, .txt"):
        kind_of("logo.png")
    assert kind_of("src/agent.ts", hosted=True) == "foreign"


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("yaml", "a: [1\nb: 2", "agent file p: line 2: not valid YAML"),
        ("yaml", "a: !!python/object/apply:os.system [x]", "not valid YAML: could not determine a constructor"),
        ("json", '{"a": 1,}', "line 1: not valid JSON"),
        ("toml", "a = ", "not valid TOML"),
        ("text", " \n", "it is empty"),
        ("text", "a\0", "NUL"),
        ("text", "a" * 256_001, "larger than 256000 bytes"),
        ("json", "[" * 70 + "]" * 70, "nested more than 60 levels"),
        ("json", "[" * 200_000, "not valid JSON"),
        ("yaml", "a: &a []\n" + "".join(f"{c}: &{c} [{', '.join(['*' + chr(ord(c) - 1)] * 9)}]\n" for c in "bcdefgh"),
         "more than 100000 values"),
        ("yaml", "a: &a [*a]", "nested more than 60 levels"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_keep_to_its_grammar_or_bounds_is_refused(kind: Kind, text: str, message: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_agent(text, "p", kind=kind)
    assert message in str(refused.value)


def test_a_change_must_change_something_that_is_read() -> None:
    assert refusal(PROMPT, "# Rules\n\n\n-  Be kind. \n").startswith("unchanged")
    assert refusal("a: 1 # one\n", "a: 1\n", "yaml").startswith("unchanged")
    assert refusal('{"a": 1}', '{ "a": 1 }', "json").startswith("unchanged")
    assert refusal("a = 1", "a = 2", "toml") == ""
    assert refusal(PROMPT, PROMPT + "- Look before you answer.\n") == ""


def test_growth_is_bounded() -> None:
    words = "one more word and "
    assert refusal(PROMPT, PROMPT + words * 400) == ""
    assert refusal(PROMPT, PROMPT + words * 800).startswith("too_large: prompt.md grew from")


@pytest.mark.parametrize(
    ("kind", "parent", "text"),
    [
        ("text", PROMPT, PROMPT + "For retail_order_17 refund.\n"),
        ("text", PROMPT, PROMPT + "For retail order 17, refund.\n"),
        ("text", PROMPT, PROMPT + "If it is `7`, refund.\n"),
        ("text", PROMPT, PROMPT + "When the parcel from the shop\nin Lyon never came, refund.\n"),
        ("text", PROMPT, PROMPT + "When the **parcel** from the _shop_ in Ly&#111;n never came, refund.\n"),
        ("text", PROMPT, PROMPT + f"{'retail_order_17'[::-1]}\n"),
        ("yaml", "a: x\n", 'a: "parcel from the\\x20shop in L\\u0079on never came"\n'),
        ("json", '{"a": "x"}', '{"a": ["retail", "\\u006frder", "17"]}'),
        ("toml", "a = 'x'", 'a = "7"'),
    ],
)
def test_a_change_may_not_name_or_quote_a_task(kind: Kind, parent: str, text: str) -> None:
    assert refusal(parent, text, kind).startswith("names_task")


@pytest.mark.parametrize("added", ["x" * 81, "or\u200bder", "be \u202e kind", "\ue000", "a\x1bb"])
def test_what_nobody_can_read_is_refused(added: str) -> None:
    assert refusal(PROMPT, PROMPT + added + "\n").startswith("forbidden: the changed prompt.md, line 4: it holds a")
    assert refusal(PROMPT + added, PROMPT + added + "\nmore words") == ""  # what its author wrote stays allowed


def test_a_file_that_says_nothing_is_still_one_of_its_kind() -> None:
    for name in ("a.py", "a.md", "a.yaml", "a.json", "a.toml"):
        check_agent(blank_of(kind_of(name)), name, kind=kind_of(name), main=False)


def test_an_edit_of_a_text_is_the_same_wherever_it_stands() -> None:
    rule = "- Look before you answer.\n"
    assert (
        edit_of(PROMPT, PROMPT + rule, "text")
        == edit_of("# Other\n", "# Other\n\n" + rule, "text")
        == ("+- Look before you answer.",)
    )
    assert not same_program(PROMPT, PROMPT + rule, "text")


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=80), st.sampled_from(["text", "yaml", "json", "toml"]))
def test_no_text_whatever_breaks_a_check(text: str, kind: Kind) -> None:
    refusal("a", text, kind)
    refusal(text, "b", kind)


def test_a_change_may_import_the_packages_modules_but_not_what_they_bring_along() -> None:
    own = modules_of([
        ("tools.py", "import base64, json\nfrom subprocess import run as start\nimport helpers\n"),
        ("helpers/__init__.py", ""),
        ("os.py", ""),
        ("broken.py", "def ("),
    ])  # fmt: skip
    assert own == PackageModules(frozenset({"tools", "helpers", "broken"}), frozenset({"base64", "start"}))

    def change(line: str, package: PackageModules | None = own) -> str:
        parent = "def run(session):\n    pass\n"
        return refusal(parent, f"{line}\n\n\n{parent}", "python", package=package, file="agent.py")

    for fine in ("import tools", "from helpers import a", "from . import tools", "from .tools import x", "import json"):
        assert change(fine) == ""
        assert json_or(fine) or change(fine, None).startswith("forbidden: the changed agent.py, line 1: it imports")
    for bad in (
        "import os",
        "import base64",
        "from tools import base64",
        "from .tools import start",
        "import tools\nX = tools.base64",
    ):
        assert change(bad).startswith("forbidden"), bad


def json_or(line: str) -> bool:
    """Whether everybody may write this line."""
    return line == "import json"


def test_a_module_beside_a_driver_needs_no_run() -> None:
    check_agent("def helper():\n    return 1\n", main=False)
    check_agent("async def run(session):\n    pass\n")
    with pytest.raises(BadInput, match="no top-level `def run"):
        check_agent("def helper():\n    return 1\n")
