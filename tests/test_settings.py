"""Settings: flags over variables over sigmaloop.toml over defaults, and every slip named with what is allowed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from sigmaloop.endpoints import TABLES
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


# The tables of the roles


TABLES_TOML = """
[models.target]
base_url = "https://one.test/v1"
key_env = "KEY_ONE"
model = "org/name:tag"
temperature = "default"
extra = { top_k = 3 }

[models.user]
model = "smaller"

[models.judge]
base_url = "https://two.test/v1"

[models.specialist]
base_url = "https://three.test/openai/deployments/big?api-version=1"
key_env = "KEY_THREE"

[models.gate_judge]
max_tokens = 77
"""


def test_a_role_takes_what_it_does_not_say_from_its_parent(here: Path) -> None:
    (here / "sigmaloop.toml").write_text(TABLES_TOML)
    found = load_settings(upstream="openai")
    target, user, gate_judge = found.role("target"), found.role("user"), found.role("gate_judge")
    assert (target.model, target.temperature, target.extra) == ("org/name:tag", None, {"top_k": 3})
    assert user == target.model_copy(update={"role": "user", "model": "smaller"})
    assert (gate_judge.key_env, gate_judge.auth, gate_judge.max_tokens) == ("KEY_THREE", "api-key", 77)
    assert (gate_judge.model, found.target_model) == ("gpt-4.1", "org/name:tag"), "the older names say the same"
    assert found.role("specialist").max_tokens > target.max_tokens


def test_a_key_is_handed_on_for_its_own_host_alone(here: Path) -> None:
    (here / "sigmaloop.toml").write_text(TABLES_TOML)
    found = load_settings(upstream="openai")
    assert (found.role("user").key_env, found.role("judge").key_env) == ("KEY_ONE", "")
    assert found.role("judge").auth == "none"
    assert found.role("embedding").key_env == "OPENAI_API_KEY", "the general endpoint's own"
    elsewhere = load_settings(upstream="openai", base_url="https://two.test/v1")
    assert elsewhere.role("judge").key_env == "OPENAI_API_KEY", "the general key belongs to the general host"
    explicit = load_settings(upstream="openai", judge_key_env="KEY_ONE")
    assert explicit.role("judge").key_env == "KEY_ONE", "unless a person says so"


def test_role_flags_and_variables_win_over_the_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "sigmaloop.toml").write_text(TABLES_TOML)
    monkeypatch.setenv("SIGMALOOP_TARGET_BASE_URL", "https://four.test/v1")
    monkeypatch.setenv("SIGMALOOP_USER_EXTRA", '{"top_k": 9}')
    found = load_settings(target_temperature=0.7, user_model="mine", judge_extra='{"provider": {"sort": "price"}}')
    assert (found.role("target").base_url, found.temperature) == ("https://four.test/v1", 0.7)
    assert (found.role("user").model, found.role("user").extra) == ("mine", {"top_k": 9})
    assert found.role("judge").extra == {"provider": {"sort": "price"}}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[models.taget]\nmodel = "x"\n', r"`taget` is none; tables: \[models.target\]"),
        ('[models]\ntarget = "x"\n', "`target` is none"),
        ('[models.user]\nbase_ulr = "x"\n', r"\[models.user\] `base_ulr` is not a setting; did you mean `base_url`"),
        ('[models.user]\nstream = "maybe"\n', "user_stream"),
        ("[models.user]\nextra = 3\n", "user_extra"),
    ],
    ids=["unknown role", "no table", "unknown key", "wrong value", "no object"],
)
def test_a_slip_in_a_table_is_named(here: Path, text: str, told: str) -> None:
    (here / "sigmaloop.toml").write_text(text)
    with pytest.raises(BadInput, match=told):
        load_settings()


def test_extra_may_not_set_what_the_gateway_fixes() -> None:
    with pytest.raises(
        BadInput, match=r"\[models.user\] extra sets seed, which the gateway fixes; set seed in the table"
    ):
        load_settings(user_extra={"seed": 3}).role("user")
    with pytest.raises(BadInput, match="extra sets messages, which the gateway fixes; take it out"):
        load_settings(user_extra={"messages": []}).role("user")


def test_naming_an_endpoint_for_a_role_means_a_real_model(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().simulated
    assert not load_settings(target_base_url="http://127.0.0.1:1/v1").simulated
    assert load_settings(target_base_url="http://127.0.0.1:1/v1", upstream="simulated").simulated


def test_a_table_made_of_a_role_says_the_same_again(here: Path) -> None:
    """What is pinned in a run: every gap filled, so that nothing set later reaches it."""
    (here / "sigmaloop.toml").write_text(TABLES_TOML)
    found = load_settings(upstream="openai")
    pinned = found.model_copy(update={k: v for role in TABLES for k, v in found.role(role).table().items()})
    restored = restore_settings(here, pinned.stored())
    for role in TABLES:
        assert restored.role(role) == found.role(role)
