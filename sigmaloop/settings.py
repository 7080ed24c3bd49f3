"""Everything that can be set, with one order of precedence: flags, SIGMALOOP_*, sigmaloop.toml, defaults.

This is the only file that reads the environment. Secrets come from the environment alone, are never
written anywhere, and are handed only to the gateway.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from sigmaloop.errors import BadInput

PREFIX = "SIGMALOOP_"
"""Of the variables that settings are read from."""
TOML = "sigmaloop.toml"


class Settings(BaseSettings):
    """What a run is made of. Every field is a flag, a SIGMALOOP_* variable and a toml key."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, toml_file=TOML, env_ignore_empty=True
    )

    home: Path = Field(default=Path(".sigmaloop"), description="folder of runs, journals and checkpoints")
    benchmark: str = Field(default="helpdesk", description="name of a shipped benchmark, or module:Class")
    agent: Path | None = Field(default=None, description="the one agent file; default: the shipped baseline")
    seed: int = Field(default=0, ge=0, lt=2**31, description="everything random follows from it")

    batches: int = Field(default=18, ge=1, le=10_000, description="batches of simulated traffic")
    batch_size: int = Field(default=10, ge=1, le=10_000, description="tasks in a batch")
    attempts: int = Field(default=6, ge=1, le=1_000, description="attempts in a batch")
    max_attempts: int = Field(default=96, ge=1, le=100_000, description="attempts in the whole run")

    policy: Literal["reference", "paired", "rigorous", "strict"] = Field(
        default="paired", description="what may be kept: the law of the gate"
    )
    cluster_tasks: int = Field(default=5, ge=1, le=100, description="failing tasks of the cluster that a change must help")
    cluster_trials: int = Field(default=2, ge=1, le=10, description="trials of each of them")
    cluster_floor: float = Field(default=0.40, ge=0, le=1, description="share of those trials that must pass")
    suite_tries: int = Field(default=2, ge=1, le=10, description="tries of a suite case before it has failed")
    promotion_passes: int = Field(default=3, ge=1, le=10, description="passes in a row that admit a task to the suite")
    promotion_tasks: int = Field(
        default=12, ge=1, le=1_000, description="known failures tried for the suite after a kept change"
    )
    quarantine_floor: float = Field(
        default=0.70, ge=0, le=1, description="incumbent's pass rate below which a suite case is not counted"
    )
    recheck_trials: int = Field(
        default=3, ge=1, le=12, description="fresh trials of the incumbent on a suite case that a rejected change failed"
    )
    bank_trials: int = Field(default=2, ge=1, le=12, description="trials a task that measure the incumbent at first")
    bank_cap: int = Field(default=12, ge=1, le=100, description="most trials a task that the bank holds")
    pool_below_z: float = Field(
        default=3.0, ge=0, description="a rejected change within so many standard errors lends the bank its rollouts"
    )
    canaries: int = Field(default=3, ge=0, le=100, description="byte-identical changes that the gate must not keep")
    harmful_canaries: int = Field(default=1, ge=0, le=100, description="known-harmful changes that it must not keep")

    regression_floor: float = Field(default=0.80, ge=0, le=1, description="share of the suite that must pass")
    coverage_floor: float = Field(default=0.95, ge=0, le=1, description="valid results needed for a verdict")
    suite_cap: int = Field(default=30, ge=1, description="most cases in the regression suite; oldest stay")
    wave: int = Field(default=4, ge=1, description="rollouts started before the gate looks again")
    certify_trials: int | None = Field(
        default=None, ge=1, le=100, description="fresh trials a task at the end; default: about 400 rollouts, 4 a task at most"
    )
    review: Literal["auto", "person"] = Field(default="auto", description="who approves a change that passed")
    concurrency: int = Field(default=4, ge=1, le=1_000, description="rollouts at the same time")

    upstream: Literal["auto", "simulated", "openai"] = Field(
        default="auto", description="auto: the endpoint if OPENAI_API_KEY is set, else the simulated model"
    )
    base_url: str | None = Field(default=None, description="OpenAI-compatible endpoint; default: OPENAI_BASE_URL")
    target_model: str = Field(default="gpt-4.1-mini", description="the fixed model of the target agent")
    specialist_model: str = Field(default="gpt-4.1", description="model of the four specialists")
    temperature: float = Field(default=0.0, ge=0, le=2, description="the target model's, fixed by the gateway")
    max_tokens: int = Field(default=2048, ge=1, description="most output tokens of one target model call")
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = Field(
        default=None, description="how long the target model thinks, fixed by the gateway; unset: not sent"
    )
    model_timeout: float = Field(default=60.0, gt=0, description="seconds for one try of a model call")
    model_tries: int = Field(default=5, ge=1, le=20, description="tries of a model call before it is an infra fault")
    price_input: float | None = Field(
        default=None, ge=0, description="money for a million input tokens; default: a price table, else unknown"
    )
    price_output: float | None = Field(default=None, ge=0, description="money for a million output tokens")
    specialist_price_input: float | None = Field(
        default=None, ge=0, description="the same for the specialists' model; default: a price table, else as the target's"
    )
    specialist_price_output: float | None = Field(default=None, ge=0, description="the same for its output")
    max_money: float | None = Field(default=None, gt=0, description="stop the run before it has cost more money")
    max_run_tokens: int | None = Field(default=None, ge=1, description="stop the run before it has used more tokens")
    max_rollout_money: float | None = Field(default=None, gt=0, description="money for the model calls of one rollout")
    max_rollout_tokens: int | None = Field(default=None, ge=1, description="tokens for the model calls of one rollout")

    sandbox: Literal["auto", "landlock", "bubblewrap", "seatbelt", "none"] = Field(
        default="auto", description="the wall around model-written code; none: no wall, on your own risk"
    )
    step_seconds: float = Field(default=10.0, gt=0, description="agent time between two frames, model time excluded")
    rollout_seconds: float = Field(default=300.0, gt=0, description="the agent's own time in one rollout, model and tools excluded")
    cpu_seconds: float = Field(default=20.0, gt=0, description="processor time of one rollout")
    max_steps: int = Field(default=60, ge=1, description="actions and messages in one rollout")
    max_calls: int = Field(default=80, ge=1, description="model calls in one rollout")

    record_calls: bool = Field(default=False, description="keep every model call of the run, in calls.traces")

    embedder: Literal["hash-v1", "openai"] = Field(default="hash-v1", description="how failures are embedded")
    embedding_model: str = Field(default="text-embedding-3-small", description="for embedder openai")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def simulated(self) -> bool:
        """Whether the stand-in for the model answers."""
        if self.upstream == "auto":
            return api_key() is None and self.endpoint is None
        return self.upstream == "simulated"

    @property
    def endpoint(self) -> str | None:
        """Base URL of the endpoint, if one is named."""
        return self.base_url or os.environ.get("OPENAI_BASE_URL") or None

    def models(self) -> tuple[str, str]:
        """Names of the target's and the specialists' model, as they are pinned."""
        if self.simulated:
            return "simulated-target", "simulated-specialist"
        return self.target_model, self.specialist_model

    def agent_source(self) -> str:
        """Text of the one agent file. Raises BadInput when it cannot be read as text."""
        if self.agent is None:
            return resources.files("sigmaloop.target_agent").joinpath("agent.py").read_text(encoding="utf-8")
        try:
            return self.agent.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise BadInput(
                f"agent file {self.agent} does not exist; give --agent a Python file with `def run(session)`"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"agent file {self.agent} cannot be read: {error}; it must be UTF-8 Python text") from None

    def stored(self) -> dict[str, Any]:
        """JSON form that a run keeps: everything but the place, which may be moved."""
        return self.model_dump(mode="json", exclude={"home"})


def load_settings(*, config: Path | None = None, **flags: Any) -> Settings:
    """Settings from flags (None: not given), SIGMALOOP_*, the toml file and defaults.

    Raises BadInput that names the key, the file and what is allowed. A toml named with `config` must
    exist; `sigmaloop.toml` in the current folder is read if it is there.
    """
    _check_names(os.environ)
    given = {key: value for key, value in flags.items() if value is not None}
    path = config or Path(TOML)
    if config is not None and not config.is_file():
        raise BadInput(f"settings file {config} does not exist; make it or leave out --config")

    class _Located(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    try:
        found = _Located(**given)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors()]
        known = ", ".join(Settings.model_fields)
        unknown = any(e["type"] == "extra_forbidden" for e in error.errors())
        hint = f"\nknown settings: {known}" if unknown else ""
        raise BadInput(f"bad settings (flags, SIGMALOOP_* or {path}):\n  " + "\n  ".join(lines) + hint) from None
    except ValueError as error:  # tomllib.TOMLDecodeError is one
        raise BadInput(f"{path} is not valid toml: {error}; mend or remove it") from None
    return Settings.model_construct(**dict(found))


def _check_names(environment: Mapping[str, str]) -> None:
    """A variable with a slip in its name would be a setting that silently is not made."""
    for name, value in environment.items():
        key = name.upper().removeprefix(PREFIX).lower()
        if value and name.upper().startswith(PREFIX) and key not in Settings.model_fields:
            like = get_close_matches(key, Settings.model_fields, n=1)
            hint = f"; did you mean {PREFIX}{like[0].upper()}?" if like else "; unset it"
            raise BadInput(f"the environment has {name}, which is no setting{hint}")


def restore_settings(home: Path, stored: dict[str, Any]) -> Settings:
    """The settings that a run was started with, at the place where it lies now."""
    return Settings.model_construct(**dict(_Plain.model_validate({**stored, "home": home})))


class _Plain(Settings):
    """Settings from the given values alone: no environment, no file."""

    model_config = SettingsConfigDict(toml_file=None)

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def api_key() -> SecretStr | None:
    """The endpoint's key, from OPENAI_API_KEY; None when unset or empty."""
    value = os.environ.get("OPENAI_API_KEY")
    return SecretStr(value) if value else None


def secrets() -> tuple[str, ...]:
    """Every secret known to this process, by value, for redaction."""
    return tuple(os.environ[name] for name in secret_names())


def secret_names() -> tuple[str, ...]:
    """Variables that look like secrets, by name. Our own settings are none, MAX_TOKENS or not."""
    words = ("KEY", "TOKEN", "SECRET", "PASSWORD")
    return tuple(
        name
        for name, value in os.environ.items()
        if len(value) >= 8 and any(word in name.upper() for word in words) and not name.startswith("SIGMALOOP_")
    )
