"""The three domains: policy text, tools and request types of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

from sigmaloop.eval.benchmarks.helpdesk.domains.airline.requests import AIRLINE_TYPES
from sigmaloop.eval.benchmarks.helpdesk.domains.airline.tools import AIRLINE_TOOLS
from sigmaloop.eval.benchmarks.helpdesk.domains.retail.requests import RETAIL_TYPES
from sigmaloop.eval.benchmarks.helpdesk.domains.retail.tools import RETAIL_TOOLS
from sigmaloop.eval.benchmarks.helpdesk.domains.telecom.requests import TELECOM_TYPES
from sigmaloop.eval.benchmarks.helpdesk.domains.telecom.tools import TELECOM_TOOLS
from sigmaloop.eval.benchmarks.helpdesk.requests import Domain, RequestType
from sigmaloop.eval.benchmarks.helpdesk.tools import Tool
from sigmaloop.records import JsonObject


@dataclass(frozen=True)
class Desk:
    """A domain's policy and tools, shared by all its episodes and never changed."""

    domain: Domain
    tools: Mapping[str, Tool]
    types: tuple[RequestType, ...]

    @cached_property
    def policy(self) -> str:
        return (files(__package__) / self.domain / "policy.md").read_text(encoding="utf-8").strip()

    @cached_property
    def _schemas(self) -> str:
        return json.dumps([tool.schema() for tool in self.tools.values()])

    def schemas(self) -> list[JsonObject]:
        """OpenAI tool schemas; a fresh copy, since an agent may change what it is handed."""
        schemas: list[JsonObject] = json.loads(self._schemas)
        return schemas


DESKS: dict[Domain, Desk] = {
    "retail": Desk("retail", RETAIL_TOOLS, RETAIL_TYPES),
    "airline": Desk("airline", AIRLINE_TOOLS, AIRLINE_TYPES),
    "telecom": Desk("telecom", TELECOM_TOOLS, TELECOM_TYPES),
}
REQUEST_TYPES: dict[str, RequestType] = {kind.name: kind for desk in DESKS.values() for kind in desk.types}
