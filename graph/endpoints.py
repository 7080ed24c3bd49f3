"""The run's endpoints: one upstream for each host and key, and the probe of how each role's model wants to be asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from sigmaloop.endpoints import OPENAI, PARENT, SPECIALISTS, RoleModel, RoleName
from sigmaloop.errors import ModelUnavailable
from sigmaloop.eval.benchmark import BenchmarkRunner
from sigmaloop.settings import Settings, key_of, secrets
from sigmaloop.tools.gateway.gateway_settings import UNDER_WAY, Models
from sigmaloop.tools.gateway.prices import check_prices
from sigmaloop.tools.gateway.probe import Probed, probe, probe_embeddings
from sigmaloop.tools.redaction import Redactor
from sigmaloop.tools.upstream.by_role import Upstreams
from sigmaloop.tools.upstream.upstream import HttpUpstream, InProcessUpstream, Upstream

OWN: tuple[RoleName, ...] = (*SPECIALISTS, "user", "judge")
"""Roles that may be asked otherwise than the target or the specialists."""


def roles_of(settings: Settings, benchmark: BenchmarkRunner | None = None) -> tuple[RoleName, ...]:
    """The roles that a run asks, each of another model or in other words than the one before it."""
    wanted: list[RoleName] = ["target", "specialist", *SPECIALISTS]
    wanted += benchmark.model_roles if benchmark else ()
    found: dict[str, RoleName] = {}
    for role in wanted:
        found.setdefault(same_words(settings.role(role)), role)
    embedding: tuple[RoleName, ...] = () if settings.simulated or settings.embedder == "hash-v1" else ("embedding",)
    return (*found.values(), *embedding)


def make_upstreams(settings: Settings) -> Upstreams:
    """Where model calls go. Raises BadInput when a limit cannot be kept or a key is missing, ModelUnavailable."""
    check_prices(settings)
    if settings.simulated:
        from sigmaloop.simulation.model import SimulatedModel

        return Upstreams(InProcessUpstream(SimulatedModel()))
    _check_key(settings.role("target"))
    made: dict[tuple[object, ...], Upstream] = {}
    own: dict[str, Upstream] = {}
    for role in ("target", "specialist", *OWN, "embedding"):
        model = settings.role(role)  # type: ignore[arg-type]
        door = (model.base_url, model.key_env, model.auth, model.timeout)
        if door not in made:
            made[door] = _upstream(settings, model)
        own[role] = made[door]
    return Upstreams(own["target"], own)


def models_of(settings: Settings) -> Models:
    """How every role's calls are pinned."""
    target, specialist = settings.role("target"), settings.role("specialist")
    models = {role: settings.role(role) for role in OWN}
    own = {r: model for r, model in models.items() if same_words(model) != same_words(settings.role(PARENT[r]))}
    embedding = None if settings.simulated else settings.role("embedding").model
    return Models(target=target, specialist=specialist, own=own, embedding=embedding)


def probe_roles(settings: Settings, roles: Sequence[RoleName]) -> list[Probed]:
    """Ask each role's endpoint a few small things. Raises ModelUnavailable with what to do, BadInput."""
    return [probe_role(settings, role) for role in roles] if not settings.simulated else []


def probe_role(settings: Settings, role: RoleName) -> Probed:
    """The same for one role. Simulated models need no probe."""
    model = settings.role(role)
    _check_key(model)
    with _only(settings, model) as upstream, _scrubbed(settings):
        return probe_embeddings(upstream, model) if role == "embedding" else probe(upstream, model)


def with_found(settings: Settings, found: Iterable[Probed]) -> Settings:
    """The settings with what probes found, also for roles that are asked in the same words; a simulated model's as
    they are."""
    if settings.simulated:
        return settings
    by_words = {same_words(settings.role(one.model.role)): one.model for one in found}
    roles: tuple[RoleName, ...] = ("target", "specialist", *OWN, "embedding")
    fields: dict[str, object] = {"upstream": "openai"}
    for role in roles:
        model = settings.role(role)
        known = by_words.get(same_words(model))
        prices = {name: getattr(model, name) for name in ("price_input", "price_cached", "price_output")}
        pinned = model if known is None else known.model_copy(update={"role": role, **prices})
        fields |= pinned.table()
    return settings.model_copy(update=fields)


def _upstream(settings: Settings, model: RoleModel, *, tries: int | None = None) -> HttpUpstream:
    return HttpUpstream(
        model.base_url,
        key_of(model),
        auth=model.auth,
        key_name=model.key_env or f"key_env of [models.{model.role}]",
        timeout=model.timeout,
        tries=tries or settings.model_tries,
        connections=calls_under_way(settings),
    )


def _check_key(model: RoleModel) -> None:
    """Raises ModelUnavailable when OpenAI's own endpoint would be asked without a key."""
    if model.base_url == OPENAI and key_of(model) is None:
        raise ModelUnavailable(
            f"OPENAI_API_KEY is not set, and {OPENAI} wants a key: set it, or name another endpoint with --base-url, "
            f"or with base_url and key_env in [models.{model.role}]",
            status=503,
        )


@contextmanager
def _only(settings: Settings, model: RoleModel) -> Iterator[HttpUpstream]:
    """An upstream for a probe, which counts every try."""
    upstream = _upstream(settings, model, tries=1)
    try:
        yield upstream
    finally:
        upstream.close()


@contextmanager
def _scrubbed(settings: Settings) -> Iterator[None]:
    """No secret in what a probe says of an endpoint."""
    try:
        yield
    except ModelUnavailable as error:
        text = Redactor(secrets(settings)).text(str(error))
        raise ModelUnavailable(text, status=error.status, code=error.code, parameter=error.parameter) from None


def calls_under_way(settings: Settings) -> int:
    """How many model calls may be upstream at the same time: no rollout waits for another one's place."""
    return max(UNDER_WAY, settings.concurrency)


def same_words(model: RoleModel) -> str:
    """Equal for roles that are asked alike, whatever they cost."""
    return model.model_dump_json(exclude={"role", "price_input", "price_cached", "price_output"})
