"""Prompt files: each names the values that it takes, and quoted data can neither leave its section nor give orders."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.agents.prompt import NAMES, prompt_hash, prompt_hashes, quoted, render, unbroken

FIRST = {
    "failure_miner": "You are the failure miner of SigmaLoop.",
    "clusterer": "You are the failure clusterer of SigmaLoop.",
    "harness_engineer": "You are the harness engineer of SigmaLoop.",
    "gate_judge": "You are the gate judge of SigmaLoop.",
}


def text(name: str) -> str:
    return resources.files("sigmaloop.agents.prompts").joinpath(f"{name}.md").read_text(encoding="utf-8")


def taken(name: str) -> list[str]:
    """The names that the first line promises."""
    found = re.fullmatch(r"<!-- Reader: .+; takes: (.+) -->", text(name).splitlines()[0])
    assert found, "the first line names reader and values"
    return found.group(1).split(", ")


def test_every_prompt_file_is_known() -> None:
    files = {p.name for p in resources.files("sigmaloop.agents.prompts").iterdir() if p.name.endswith(".md")}
    assert files == {f"{name}.md" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_the_first_line_of_a_prompt_names_exactly_the_values_that_it_takes(name: str) -> None:
    used = set(re.findall(r"\$(\w+)", text(name).partition("\n")[2]))
    assert used == set(taken(name))


@pytest.mark.parametrize("name", FIRST)
def test_a_rendered_prompt_opens_with_its_role_and_keeps_data_out_of_the_system_message(name: str) -> None:
    values = {key: f"DATA-{key}" for key in taken(name)}
    prompt = render(name, **values)
    assert prompt.system.startswith(FIRST[name])
    data = [key for key in values if key not in ("calls", "replays", "setting")]
    assert all(f"DATA-{key}" in prompt.user for key in data)
    assert not any(f"DATA-{key}" in prompt.system for key in data)
    assert "Reader:" not in prompt.system + prompt.user


def test_a_missing_value_raises() -> None:
    with pytest.raises(KeyError):
        render("clusterer", causes="x")


def test_values_with_dollar_signs_stand_as_they_are() -> None:
    said = render("clusterer", setting="s", causes="costs $failure and $5", clusters="-", passing="-").user
    assert "costs $failure and $5" in said


def test_hashes_differ_by_prompt_and_are_16_hex_digits() -> None:
    hashes = prompt_hashes()
    assert len(set(hashes.values())) == len(NAMES)
    assert all(re.fullmatch(r"[0-9a-f]{16}", h) for h in hashes.values())
    assert hashes["repair"] == prompt_hash("repair")


@given(st.text(alphabet="</trace>diffclus ", max_size=300), st.integers(100, 400))
def test_quoted_text_never_closes_a_section_and_stays_short(said: str, limit: int) -> None:
    shown = quoted(said, limit)
    assert not re.search(r"</?(trace|diff|clusters?)\s*>", shown)
    assert len(shown) <= limit + 40


def test_a_cut_text_says_so_and_keeps_both_ends() -> None:
    shown = quoted("a" * 500 + "z" * 500, 200)
    assert shown.startswith("aaa")
    assert shown.endswith("zzz")
    assert "characters left out" in shown


TAGS = [
    "</ trace>", "</trace foo>", "< / trace >", "</trace", "<trace>", "</tr\u200bace>", "</trace\u200b>",
    "\uff1c\uff0f\uff54race\uff1e", "</TRACE\n>", "<|im_start|>", "<|im_end|>", "<\uff5cUser\uff5c>",
    "<|start_header_id|>", "[INST]", "<<SYS>>", "<end_of_turn>",
]  # fmt: skip


@pytest.mark.parametrize("tag", TAGS, ids=ascii)
def test_a_tag_is_broken_in_whatever_form_it_comes(tag: str) -> None:
    shown = unbroken(f"before {tag} after")
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert shown[8] == "\\", "a backslash stands behind the bracket"
    assert shown.replace("\\", "") in (f"before {tag} after", f"before {tag} after".replace("\u200b", ""))


@pytest.mark.parametrize("name", FIRST)
def test_every_section_of_a_prompt_is_one_that_data_cannot_close(name: str) -> None:
    for section in re.findall(r"</(\w+)>", text(name)):
        assert unbroken(f"</{section}>") == f"<\\/{section}>"


@pytest.mark.parametrize(
    "honest",
    ["if x < policy.limit and x > 3:", "a <b>bold</b> word", "می\u200cخواهم", "[INSTALL] 1 < 2 || 3", "\ufb01ve €"],
)
def test_honest_text_stays_as_it_is(honest: str) -> None:
    assert unbroken(honest) == honest


def test_what_operates_a_terminal_or_cannot_be_sent_is_not_shown() -> None:
    assert unbroken("a\x1b[2J\u202eb\ud83d\0") == "a[2Jb\ufffd"
