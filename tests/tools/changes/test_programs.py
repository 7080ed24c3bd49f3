"""The same program and the same edit are recognised under other comments, docstrings, layout and line numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.tools.changes.programs import edit_of, same_program

PARENT = '''"""An agent."""


def run(session):
    """Answer."""
    rules = ["be kind"]
    session.say(rules)
'''
CHANGED = PARENT.replace('["be kind"]', '["be kind", "ask first"]')


def test_comments_docstrings_and_layout_make_no_other_program() -> None:
    again = CHANGED.replace('"""Answer."""', '"""Answer in another way."""').replace(
        "    session", "\n    # once more\n    session"
    )
    assert again != CHANGED
    assert same_program(again, CHANGED)
    assert not same_program(PARENT, CHANGED)


def test_a_body_that_is_a_docstring_alone_is_still_a_program() -> None:
    assert same_program('def run(session):\n    "nothing"\n', "def run(session):\n    pass\n")


def test_the_same_edit_further_down_is_the_same_edit() -> None:
    def moved(source: str) -> str:
        return source.replace("def run", "LIMIT = 3\n\n\ndef help():\n    return LIMIT\n\n\ndef run")

    assert edit_of(PARENT, CHANGED)
    assert edit_of(moved(PARENT), moved(CHANGED)) == edit_of(PARENT, CHANGED)
    assert edit_of(PARENT, CHANGED.replace("ask first", "ask twice")) != edit_of(PARENT, CHANGED)


def test_a_change_that_does_nothing_and_a_file_that_is_no_python_have_no_edit() -> None:
    assert edit_of(PARENT, PARENT + "# the end\n") == ()
    assert edit_of(PARENT, "def run(:") == ()
    assert not same_program(PARENT, "def run(:")


@given(st.text(alphabet=st.characters(blacklist_characters="\r\n\f\0", blacklist_categories=["Cs"]), max_size=30))
def test_no_comment_changes_anything(comment: str) -> None:
    source = CHANGED.replace("    session", f"    # {comment}\n    session")
    assert same_program(source, CHANGED)
    assert edit_of(PARENT, source) == edit_of(PARENT, CHANGED)
