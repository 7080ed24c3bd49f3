"""Settings: flags over variables over sigmaloop.toml over defaults, and every slip named with what is allowed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from sigmaloop.errors import BadInput
from sigmaloop.settings import GROUPS, Settings, load_settings, place_of, restore_settings


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_flags_win_over_variables_over_the_file_over_defaults(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().batches == 18
    (here / "sigmaloop.toml").write_text("batches = 3\nattempts = 2\nseed = 9\n")
    monkeypatch.setenv("SIGMALOOP_BATCHES", "4")
    monkeypatch.setenv("SIGMALOOP_ATTEMPTS", "5")
    found = load_settings(batches=6, attempts=None)
    assert (found.batches, found.attempts, found.seed) == (6, 5, 9)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SIGMALOOP_CONCURENCY", "3", "did you mean SIGMALOOP_CONCURRENCY"),
        ("SIGMALOOP_QQQ", "3", "unset it"),
        ("SIGMALOOP_BATCHES", "none", "batches"),
        ("SIGMALOOP_POLICY", "lenient", "policy"),
    ],
)
def test_a_slip_in_a_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match=told):
        load_settings()


@pytest.mark.parametrize(
    ("text", "told"),
    [("batches = 'many'", "batches"), ("batch = 3", "did you mean `batches`"), ("batches = ", "not valid TOML")],
    ids=["wrong value", "unknown key", "broken file"],
)
def test_a_slip_in_the_file_is_named(here: Path, text: str, told: str) -> None:
    (here / "mine.toml").write_text(text)
    with pytest.raises(BadInput, match=told):
        load_settings(config=here / "mine.toml")


def test_a_file_that_was_named_must_exist(here: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        load_settings(config=here / "nowhere.toml")


def test_a_run_keeps_its_settings_wherever_it_is_moved(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = load_settings(batches=7, policy="strict", home=here / "old").stored()
    monkeypatch.setenv("SIGMALOOP_BATCHES", "1")
    found = restore_settings(here / "new", stored)
    assert (found.batches, found.policy, found.home) == (7, "strict", here / "new")


def test_the_file_in_the_repository_shows_the_defaults() -> None:
    text = (Path(__file__).parent.parent / "sigmaloop.toml").read_text(encoding="utf-8")
    sections = tomllib.loads(re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE))
    shown = {name: (group, value) for group, section in sections.items() for name, value in section.items()}
    assert len(shown) > 8
    for name, (group, value) in shown.items():
        assert place_of(name).group == group, name
        if name != "agent":  # its default is no file at all
            assert Settings.model_fields[name].default == value, name


def test_a_section_and_the_top_of_the_file_mean_the_same(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "sigmaloop.toml").write_text(
        'seed = 9\n[gate]\npolicy = "strict"\nwave = 2\n[sandbox]\nsandbox = "landlock"\n[run]\nbatches = 3\n'
    )
    monkeypatch.setenv("SIGMALOOP_WAVE", "8")
    found = load_settings(batches=5)
    assert (found.seed, found.policy, found.wave, found.sandbox, found.batches) == (9, "strict", 8, "landlock", 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[run]\npolicy = "strict"\n', r"\[run\] `policy` is in the wrong section; it belongs to \[gate\]"),
        ('policy = "strict"\n[gate]\npolicy = "paired"\n', r"`policy` is given twice; keep the one in \[gate\]"),
        ("[gates]\nwave = 2\n", r"no section \[gates\]; sections: \[run\], \[gate\], \[model\]"),
        ("[gate]\nwaves = 2\n", r"\[gate\] `waves` is not a setting; did you mean `wave`"),
        ("[gate]\nwave = 0\n", r"wave: Input should be greater than or equal to 1"),
    ],
    ids=["wrong section", "twice", "unknown section", "unknown key", "wrong value"],
)
def test_a_slip_in_a_section_names_the_right_place(here: Path, text: str, message: str) -> None:
    (here / "sigmaloop.toml").write_text(text)
    with pytest.raises(BadInput, match=message):
        load_settings()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_a_group_and_a_sentence_of_help(name: str) -> None:
    text = Settings.model_fields[name].description or ""
    assert place_of(name).group in GROUPS
    assert text[:1].isupper() or text.startswith("`")
    assert text.endswith(".")
    assert len(text.split()) > 3
