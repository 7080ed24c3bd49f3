"""What a person enters in Studio, checked before anything runs: the form, the input, an edited state.

Names and types only; that what is named exists is looked up at the door of the node that works with it (`checks`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from sigmaloop.errors import BadInput
from sigmaloop.graph.state import LoopState, RunForm, RunInput


def check_form(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that were filled in, as JSON. Raises BadInput with the field and what is allowed."""
    _known("form", given, RunForm.model_fields)
    try:
        return RunForm.model_validate(dict(given)).given()
    except ValidationError as error:
        raise _refused("form", error, given) from None


def check_input(given: Any) -> dict[str, Any]:
    """The input with which a run begins. Raises BadInput with the field and what is allowed."""
    if not isinstance(given, Mapping):
        raise BadInput(f'the input is {given!r:.100}: give an object, such as {{}} or {{"form": {{"seed": 1}}}}')
    _known("input", given, RunInput.__annotations__)
    _typed("input", given)
    return {**given, "form": check_form(given["form"])} if given.get("form") else dict(given)


def check_values(given: Any) -> None:
    """The fields of an edited state; a list holds one edit a piece. Raises BadInput with the field and its type."""
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, Mapping):
            _known("state", one, LoopState.__annotations__)
            _typed("state", one)


def _known(what: str, given: Mapping[str, Any], names: Collection[str]) -> None:
    for name in given:
        if name not in names:
            like = get_close_matches(str(name), names, n=1)
            hint = f"; did you mean {like[0]}?" if like else f"; its fields are {', '.join(names)}"
            raise BadInput(f"the {what} has no field {name!r}{hint}")


def _typed(what: str, given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        try:
            _types()[name].validate_python(value, strict=True)
        except ValidationError as error:
            raise _refused(what, error, {name: value}, within=name) from None


@cache
def _types() -> dict[str, TypeAdapter[Any]]:
    """By field of the state."""
    return {name: TypeAdapter(kind) for name, kind in get_type_hints(LoopState, include_extras=True).items()}


def _refused(what: str, error: ValidationError, given: Mapping[str, Any], within: str = "") -> BadInput:
    first = error.errors()[0]
    place = ".".join(map(str, (*filter(None, [within]), *first["loc"])))
    return BadInput(f"the {what} has {place} = {first['input']!r:.100}: {first['msg'].lower()}; nothing was run")
