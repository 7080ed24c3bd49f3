"""Everything that can be set, with one order of precedence: flags, SIGMALOOP_*, sigmaloop.toml, defaults.

This is the only file that reads the environment. Secrets come from the environment alone, are never
written anywhere, and are handed only to the gateway.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field, SecretStr, ValidationError, create_model
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from sigmaloop import endpoints
from sigmaloop.endpoints import ALIASES, FIELDS, OPENAI, OPENAI_KEY, TABLES, RoleModel, RoleName, Temperature
from sigmaloop.errors import BadInput

PREFIX = "SIGMALOOP_"
"""Of the variables that settings are read from."""
TOML = "sigmaloop.toml"
GROUPS = {
    "run": "Run",
    "gate": "Gate",
    "model": "Model",
    "models": "Models",
    "budget": "Budget",
    "sandbox": "Sandbox",
    "memory": "Memory",
}
"""Sections of the toml file, and their headings in help and docs."""


class Place(NamedTuple):
    """Where a setting is shown."""

    group: str
    """A key of `GROUPS`."""
    common: bool
    """Whether `--help` shows it; `--help-all` shows every setting."""


def _setting(group: str, default: Any, text: str, *, common: bool = False, **bounds: Any) -> Any:
    place: dict[str, Any] = Place(group, common)._asdict()
    return Field(default=default, description=text, json_schema_extra=place, **bounds)


_run = partial(_setting, "run", common=True)
_gate = partial(_setting, "gate")
_model = partial(_setting, "model")
_budget = partial(_setting, "budget")
_sandbox = partial(_setting, "sandbox")
_memory = partial(_setting, "memory")

if TYPE_CHECKING:
    _Tables = BaseSettings
else:
    _Tables = create_model(
        "_Tables",
        __base__=BaseSettings,
        **{
            name: (field.type | None, _setting("models", None, f"{field.text[:-1]} (`{role}`)."))
            for role in TABLES
            for key, field in FIELDS.items()
            if (name := endpoints.setting_name(role, key)) not in ALIASES.values()
        },
    )
    """The keys of every table `[models.ROLE]` as settings `ROLE_KEY`, so that all sources and their order hold."""

SIMULATED = "simulated model"
"""What the stand-in is called wherever something is its work."""


class Settings(_Tables):
    """What a run is made of. Every field is a flag, a SIGMALOOP_* variable, and a toml key at the top or in its section."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, toml_file=TOML, env_ignore_empty=True
    )

    home: Path = _run(Path(".sigmaloop"), "Folder for runs, journals and checkpoints.")
    benchmark: str = _run("helpdesk", "Shipped benchmark, or `module:Class` for your own.")
    agent: Path | None = _run(None, "Agent file to improve. Without it, the shipped baseline agent.")
    agent_packages: tuple[Path, ...] = _run(
        (), "Folder with the agent's other modules and data files, which stay as they are. May be given several times."
    )
    edit: Path | None = _run(
        None, "The one file of the package that changes: .py, .md, .txt, .yaml, .yml, .json or .toml. In place of --agent."
    )
    driver: Path | None = _run(None, "Python file of the package with `run(session)`, where the edited file has none.")
    seed: int = _run(0, "Seed for all randomness.", ge=0, lt=2**31)
    batches: int = _run(18, "Number of batches of sampled traffic.", ge=1, le=10_000)
    batch_size: int = _run(10, "Number of tasks in a batch.", ge=1, le=10_000)
    attempts: int = _run(6, "Maximum number of attempts in a batch.", ge=1, le=1_000)
    max_attempts: int = _run(96, "Maximum number of attempts in the whole run.", ge=1, le=100_000)
    stop_after_keep: bool = _run(
        False, "End a batch at its first kept change, as in the published method. Else it goes on with the next cluster."
    )
    plateau: int = _run(
        15,
        "Attempts without a kept change after which the run warns; after twice as many it tries other clusters and "
        "kinds of change, after four times as many it stops. 0: never.",
        ge=0,
        le=100_000,
    )
    program: Path | None = _run(
        None, "File with the owner's words to the specialists. Without it, `program.md` beside the agent file, if any."
    )
    strategy: Literal["single", "compose", "portfolio", "race", "evolve", "pareto", "paste"] = _run(
        "single",
        "How drafts become what the gate judges: one at a time, parts for all clusters as one, the best of several, "
        "or `paste`, ungated.",
    )
    style: Literal["directed", "reflexion", "opro", "voyager"] = _run(
        "directed", "What the engineer is shown of earlier drafts. For every strategy but `single`."
    )
    rollouts: int | None = _run(
        None,
        "Rollouts that the search and its gates may cost in the whole run. Without it, what as many attempts cost on "
        "average. For every strategy but `single`.",
        ge=1,
        le=1_000_000,
    )
    max_drafts: int = _run(
        240, "Maximum number of drafts in the whole run. For every strategy but `single`.", ge=1, le=100_000
    )
    review: Literal["auto", "person"] = _run(
        "auto", "Who approves a change that passed the gate. `person` pauses the run and asks."
    )
    concurrency: int = _run(4, "Number of rollouts at the same time.", ge=1, le=1_000)
    certify_trials: int | None = _run(
        None,
        "Trials per task in the final certification. Without it, about 400 rollouts per agent and split, "
        "4 trials per task at most.",
        ge=1,
        le=100,
    )

    trace_rollouts: Literal["all", "failed", "none"] = _setting(
        "run", "failed", "Which conversations on training tasks are traced, where LangSmith or OpenTelemetry is on."
    )
    trace_held_out: bool = _setting(
        "run", False, "Trace conversations on validation and test tasks, too. Whoever reads them has seen the exam."
    )

    policy: Literal["reference", "paired", "rigorous", "strict"] = _gate(
        "paired", "Acceptance policy: the rule by which changes are kept.", common=True
    )
    canaries: int = _gate(
        3, "Number of byte-identical changes sent through the gate to measure it.", ge=0, le=100, common=True
    )
    harmful_canaries: int = _gate(
        1, "Number of known-harmful changes sent through the gate to measure it.", ge=0, le=100, common=True
    )
    regression_floor: float = _gate(
        0.80, "Minimum share of the regression suite that must pass.", ge=0, le=1, common=True
    )
    coverage_floor: float = _gate(
        0.95, "Minimum share of valid results for a verdict; below it the run pauses.", ge=0, le=1, common=True
    )
    suite_cap: int = _gate(
        30, "Maximum size of the regression suite; when full, no new cases are added.", ge=1, common=True
    )
    cluster_tasks: int = _gate(
        5, "Maximum number of the cluster's failing tasks that a change is tried on.", ge=1, le=100
    )
    cluster_trials: int = _gate(2, "Trials of each cluster task.", ge=1, le=10)
    cluster_floor: float = _gate(0.40, "Minimum share of the cluster-task trials that must pass.", ge=0, le=1)
    suite_tries: int = _gate(2, "Tries of a suite case before it counts as failed.", ge=1, le=10)
    promotion_passes: int = _gate(3, "Passes in a row that add a task to the regression suite.", ge=1, le=10)
    promotion_tasks: int = _gate(
        12, "Maximum number of known failures tried for the suite after a kept change.", ge=1, le=1_000
    )
    quarantine_floor: float = _gate(
        0.70, "Pass rate of the incumbent below which a suite case is not counted.", ge=0, le=1
    )
    recheck_trials: int = _gate(
        3, "Fresh trials of the incumbent on each suite case that a rejected change failed.", ge=1, le=12
    )
    bank_trials: int = _gate(2, "Trials per validation task in the first measurement of the incumbent.", ge=1, le=12)
    bank_cap: int = _gate(12, "Maximum number of trials per task that are kept of the incumbent.", ge=1, le=100)
    pool_below_z: float = _gate(
        3.0, "Standard errors within which a rejected change's results count as results of the incumbent, too.", ge=0
    )
    wave: int = _gate(4, "Number of rollouts started before the gate looks again.", ge=1)

    upstream: Literal["auto", "simulated", "openai"] = _model(
        "auto",
        "Where model calls go. `auto` uses the endpoint if OPENAI_API_KEY or a base URL is set, else the simulated model.",
        common=True,
    )
    base_url: str | None = _model(
        None,
        "Base URL of an OpenAI-compatible endpoint, for every role that has none of its own. Without it, OPENAI_BASE_URL.",
        common=True,
    )
    target_model: str = _model("gpt-4.1-mini", "Model of the target agent; it stays fixed.", common=True)
    specialist_model: str = _model("gpt-4.1", "Model of the four specialists.", common=True)
    temperature: Temperature = _model(
        0.0, "Sampling temperature of the models, fixed by the gateway; `default` leaves it to the endpoint."
    )
    max_tokens: int = _model(2048, "Maximum number of output tokens in one call of the target model.", ge=1)
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = _model(
        None, "Reasoning effort of the target model, fixed by the gateway. Without it, none is sent."
    )
    model_timeout: float = _model(60.0, "Seconds before one try of a model call is given up.", gt=0)
    model_tries: int = _model(5, "Tries of a model call before it counts as an infrastructure fault.", ge=1, le=20)
    record_calls: bool = _model(False, "Record every model call of the run in `calls.traces`.")

    max_money: float | None = _budget(
        None, "Money after which the run stops; it can be resumed with more.", gt=0, common=True
    )
    max_run_tokens: int | None = _budget(
        None, "Tokens after which the run stops; it can be resumed with more.", ge=1, common=True
    )
    max_run_calls: int | None = _budget(
        None, "Model calls after which the run stops; it can be resumed with more.", ge=1
    )
    max_hours: float | None = _budget(
        None, "Hours of work after which the run stops; it can be resumed with more.", gt=0
    )
    max_rollout_money: float | None = _budget(None, "Maximum money for the model calls of one rollout.", gt=0)
    max_rollout_tokens: int | None = _budget(None, "Maximum tokens for the model calls of one rollout.", ge=1)
    price_input: float | None = _budget(
        None, "Price of a million input tokens. Without it, the built-in table, if it knows the model.", ge=0
    )
    price_output: float | None = _budget(
        None, "Price of a million output tokens. Without it, the built-in table, if it knows the model.", ge=0
    )
    specialist_price_input: float | None = _budget(
        None,
        "Price of a million input tokens of the specialists' model. Without it, the built-in table, else the "
        "target model's price.",
        ge=0,
    )
    specialist_price_output: float | None = _budget(
        None,
        "Price of a million output tokens of the specialists' model. Without it, the built-in table, else the "
        "target model's price.",
        ge=0,
    )

    sandbox: Literal["auto", "landlock", "bubblewrap", "seatbelt", "none"] = _sandbox(
        "auto", "Sandbox for model-written code. `none` disables it (at your own risk).", common=True
    )
    step_seconds: float = _sandbox(10.0, "Seconds the agent may take between two actions, model calls excluded.", gt=0)
    rollout_seconds: float = _sandbox(
        300.0, "Seconds of its own time that the agent may take in one rollout, model and tools excluded.", gt=0
    )
    cpu_seconds: float = _sandbox(20.0, "Seconds of processor time for one rollout.", gt=0)
    max_steps: int = _sandbox(60, "Maximum number of actions and messages in one rollout.", ge=1)
    max_calls: int = _sandbox(80, "Maximum number of model calls in one rollout.", ge=1)

    embedder: Literal["hash-v1", "openai"] = _memory(
        "hash-v1", "How failures are embedded: by hashing words, or by the endpoint's embedding model."
    )
    embedding_model: str = _memory("text-embedding-3-small", "Embedding model for `--embedder openai`.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _TomlSource(settings_cls)

    @property
    def simulated(self) -> bool:
        """Whether the stand-in for the model answers."""
        if self.upstream == "auto":
            named = any(getattr(self, f"{role}_{key}", None) for role in TABLES for key in ("base_url", "key_env"))
            return api_key() is None and self.endpoint is None and not named
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

    @property
    def edited(self) -> Path | None:
        """The one file that changes; None: the shipped agent."""
        return self.edit or self.agent

    def role(self, role: RoleName) -> RoleModel:
        """Where the calls of a role go and how they are worded. Raises BadInput for `extra` that sets a fixed field."""
        general = self.endpoint or OPENAI
        url = self._first(role, "base_url") or general
        here = endpoints.origin_of(url)
        owners = [table for table in endpoints.chain(role) if self._origin(table) == here]
        keys = [key for table in owners if (key := self._own(table, "key_env")) is not None]
        if endpoints.origin_of(general) == here:
            keys.append(OPENAI_KEY)
        key_env = keys[0] if keys else ""
        auths = [auth for table in owners if (auth := self._own(table, "auth")) is not None]
        values = {name: value for name in FIELDS if (value := self._first(role, name)) not in (None, "auto")}
        values |= self._model_and_prices(role, url)
        for name in ("seed", "n", "parallel_tool_calls"):
            values[name] = values.get(name, "sent") == "sent"
        values["temperature"] = None if values["temperature"] == "default" else values["temperature"]
        values |= {"role": role, "base_url": url, "key_env": key_env}
        values["auth"] = _auth_of(url, key_env, auths[0] if auths else "auto")
        values.setdefault("timeout", self.model_timeout)
        self._check_extra(role, values.get("extra", {}))
        return RoleModel.model_validate(values)

    def _own(self, role: RoleName, field: str) -> Any:
        """What a role's own table says; None: nothing."""
        return getattr(self, endpoints.setting_name(role, field))

    def _first(self, role: RoleName, field: str) -> Any:
        """What the nearest table says that says something, or the general setting."""
        for table in endpoints.chain(role):
            value = self._own(table, field)
            if value is not None:
                return value
        general = {"temperature": self.temperature, "max_tokens": endpoints.SPECIALIST_TOKENS}
        return general.get(field)

    def _origin(self, role: RoleName) -> tuple[str, str, int | None]:
        return endpoints.origin_of(self._first(role, "base_url") or self.endpoint or OPENAI)

    def _model_and_prices(self, role: RoleName, url: str) -> dict[str, Any]:
        """Prices are inherited with the model alone: another model costs something else."""
        model = self._first(role, "model")
        if self.simulated and role != "embedding":
            model = self.models()["target" not in endpoints.chain(role)]
        found: dict[str, Any] = {"model": model}
        for name in ("price_input", "price_cached", "price_output"):
            same = [t for t in endpoints.chain(role) if self.simulated or self._serves(t, model, url)]
            found[name] = next((price for t in same if (price := self._own(t, name)) is not None), None)
        return found

    def _serves(self, role: RoleName, model: str, url: str) -> bool:
        return bool(self._first(role, "model") == model and (self._first(role, "base_url") or self.endpoint or OPENAI) == url)

    def _check_extra(self, role: RoleName, extra: dict[str, Any]) -> None:
        fixed = sorted(endpoints.FIXED & extra.keys())
        if fixed:
            raise BadInput(
                f"[models.{role}] extra sets {fixed[0]}, which the gateway fixes; "
                + (f"set {fixed[0]} in the table itself" if fixed[0] in FIELDS else "take it out")
            )

    @property
    def model_named(self) -> str:
        """The model that answers, as the first line of a run names it."""
        return SIMULATED if self.simulated else f"model {self.target_model}"

    def agent_source(self) -> str:
        """Text of the one file that changes. Raises BadInput when it cannot be read as text."""
        if self.edit is not None and self.agent is not None:
            raise BadInput(f"--edit {self.edit} and --agent {self.agent} both name the file that changes; give one")
        if self.edited is None:
            return resources.files("sigmaloop.target_agent").joinpath("agent.py").read_text(encoding="utf-8")
        try:
            return self.edited.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise BadInput(
                f"agent file {self.edited} does not exist; give --agent a Python file with `def run(session)`"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"agent file {self.edited} cannot be read: {error}; it must be UTF-8 text") from None

    def stored(self) -> dict[str, Any]:
        """JSON form that a run keeps: everything but the place, which may be moved."""
        kept = self.model_dump(mode="json", exclude={"home"})
        return {name: value for name, value in kept.items() if value is not None or place_of(name).group != "models"}


def load_settings(*, config: Path | None = None, **flags: Any) -> Settings:
    """Settings from flags (None: not given), SIGMALOOP_*, the toml file and defaults.

    Raises BadInput that names the key, the file and what is allowed. A toml named with `config` must
    exist; `sigmaloop.toml` in the current folder is read if it is there.
    """
    _check_names(os.environ)
    older = {f"{role}_{field}": name for (role, field), name in ALIASES.items()}
    given = {older.get(key, key): value for key, value in flags.items() if value is not None}
    path = config or Path(TOML)
    if config is not None and not config.is_file():
        raise BadInput(f"settings file {config} does not exist; create it or leave out --config")

    class _Located(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    try:
        found = _Located(**given)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors()]
        known = ", ".join(name for name in Settings.model_fields if place_of(name).group != "models")
        unknown = any(e["type"] == "extra_forbidden" for e in error.errors())
        hint = f"\nknown settings: {known}" if unknown else ""
        raise BadInput(f"bad settings (flags, SIGMALOOP_* or {path}):\n  " + "\n  ".join(lines) + hint) from None
    except SettingsError as error:
        raise BadInput(f"bad settings (SIGMALOOP_* or {path}): {error}; an object is written as JSON") from None
    return Settings.model_construct(**dict(found))


def place_of(name: str) -> Place:
    """The group of a setting, and whether it is one of the common ones."""
    extra = Settings.model_fields[name].json_schema_extra
    assert isinstance(extra, dict)
    return Place(str(extra["group"]), bool(extra["common"]))


def flag_of(name: str) -> str:
    """The flag of a setting; one of several values is given once for each, and named in the singular."""
    several = isinstance(Settings.model_fields[name].default, tuple)
    return f"--{(name.removesuffix('s') if several else name).replace('_', '-')}"


class _TomlSource(TomlConfigSettingsSource):
    """The toml file with its sections."""

    def _read_file(self, file_path: Any) -> dict[str, Any]:
        return _from_toml(file_path)


def _from_toml(path: Path) -> dict[str, Any]:
    """The settings of a toml file by name, from its top and its sections. Raises BadInput; no file is an empty one."""
    try:
        with path.open("rb") as file:
            tables = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}; check its permissions") from None
    except ValueError as error:  # TOMLDecodeError, or no UTF-8
        raise BadInput(f"{path} is not valid TOML: {error}; fix or remove it") from None
    values: dict[str, Any] = {}
    for role, table in _role_tables(path, tables.pop("models", {})):
        for key, content in table.items():
            if key not in FIELDS:
                like = get_close_matches(key, FIELDS, n=1)
                hint = f"did you mean `{like[0]}`?" if like else f"keys: {', '.join(FIELDS)}"
                raise BadInput(f"{path}: [models.{role}] `{key}` is not a setting; {hint}")
            values[endpoints.setting_name(role, key)] = content
    for name, value in tables.items():
        section = value if isinstance(value, dict) else {name: value}
        if section is value and name not in GROUPS:
            known = ", ".join(f"[{group}]" for group in GROUPS)
            raise BadInput(f"{path}: there is no section [{name}]; sections: {known}")
        for key, content in section.items():
            _check_key(path, key, group=name if section is value else None)
            if key in values:
                raise BadInput(f"{path}: `{key}` is given twice; keep the one in [{place_of(key).group}]")
            values[key] = content
    return values


def _role_tables(path: Path, tables: Any) -> list[tuple[RoleName, dict[str, Any]]]:
    """The tables `[models.ROLE]`. Raises BadInput for a role that there is not, or what is no table."""
    wrong = [name for name, table in tables.items() if name not in TABLES or not isinstance(table, dict)]
    if wrong:
        known = ", ".join(f"[models.{role}]" for role in TABLES)
        raise BadInput(f"{path}: [models] holds one table a role, and `{wrong[0]}` is none; tables: {known}")
    return list(tables.items())


def _check_key(path: Path, key: str, *, group: str | None) -> None:
    """Raises BadInput for a name that is no setting, or that belongs to another section."""
    where = f"{path}: " + (f"[{group}] " if group else "")
    if key not in Settings.model_fields:
        like = get_close_matches(key, Settings.model_fields, n=1)
        hint = f"did you mean `{like[0]}`?" if like else f"known settings: {', '.join(Settings.model_fields)}"
        raise BadInput(f"{where}`{key}` is not a setting; {hint}")
    right = place_of(key).group
    if group not in (None, right):
        raise BadInput(f"{where}`{key}` is in the wrong section; it belongs to [{right}]")


def _check_names(environment: Mapping[str, str]) -> None:
    """A variable with a slip in its name would be a setting that silently is not made."""
    for name, value in environment.items():
        key = name.upper().removeprefix(PREFIX).lower()
        if value and name.upper().startswith(PREFIX) and key not in Settings.model_fields:
            like = get_close_matches(key, Settings.model_fields, n=1)
            hint = f"; did you mean {PREFIX}{like[0].upper()}?" if like else "; unset it"
            raise BadInput(f"environment variable {name} is not a setting{hint}")


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


def _auth_of(url: str, key_env: str, wanted: str) -> str:
    if not key_env:
        return "none"
    if wanted != "auto":
        return wanted
    return "api-key" if "/deployments/" in url else "bearer"


def key_of(model: RoleModel) -> SecretStr | None:
    """The key of a role's endpoint; None: it has none. Raises BadInput when the variable that was named is not set."""
    if model.auth == "none" or not model.key_env:
        return None
    value = os.environ.get(model.key_env)
    if not value and model.key_env != OPENAI_KEY:
        raise BadInput(
            f"the key of {model.role} is to be in the variable {model.key_env}, which is not set: set it, or change "
            f"key_env in [models.{model.role}] (empty: no key)"
        )
    return SecretStr(value) if value else None


def api_key() -> SecretStr | None:
    """The endpoint's key, from OPENAI_API_KEY; None when unset or empty."""
    value = os.environ.get("OPENAI_API_KEY")
    return SecretStr(value) if value else None


def otel_endpoint() -> str | None:
    """Where OpenTelemetry spans are sent, from OTEL_EXPORTER_OTLP_ENDPOINT; None when unset or empty."""
    return os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None


def secrets(settings: Settings | None = None) -> tuple[str, ...]:
    """Every secret known to this process, by value, for redaction: the keys of these settings' roles, too."""
    keys = {settings.role(role).key_env for role in TABLES} if settings else set()
    named = [name for name in sorted(keys - set(secret_names())) if os.environ.get(name)]
    return tuple(os.environ[name] for name in (*secret_names(), *named))


def plain_environment() -> dict[str, str]:
    """The environment for programs of the user's: without what looks like a secret, or like a setting of ours."""
    hidden = secret_names()
    return {name: value for name, value in os.environ.items() if name not in hidden and not name.startswith(PREFIX)}


def secret_names() -> tuple[str, ...]:
    """Variables that look like secrets, by name. Our own settings are none, MAX_TOKENS or not."""
    words = ("KEY", "TOKEN", "SECRET", "PASSWORD")
    return tuple(
        name
        for name, value in os.environ.items()
        if len(value) >= 8 and any(word in name.upper() for word in words) and not name.startswith("SIGMALOOP_")
    )
