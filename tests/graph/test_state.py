"""The state is typed to the last key: a slip is an error of the type checker, and Studio shows every field."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from sigmaloop.errors import BadInput
from sigmaloop.graph.build import build_graph
from sigmaloop.graph.entries import check_form
from sigmaloop.graph.state import LoopState, LoopUpdate, RunForm

ROOT = Path(__file__).parents[2]
SLIPS = {
    'LoopUpdate = {"attemps_total": 1}': "attemps_total",
    'LoopUpdate = {"batch": "one"}': "batch",
    'LoopUpdate = {"outcome": "pased"}': "outcome",
}


def test_an_update_has_the_states_fields_and_no_other() -> None:
    assert LoopUpdate.__annotations__.keys() == LoopState.__annotations__.keys()
    assert not LoopState.__optional_keys__
    assert not LoopUpdate.__required_keys__


def test_the_type_checker_finds_a_slip_in_an_update(tmp_path: Path) -> None:
    lines = [f"u{n}: {slip}" for n, slip in enumerate(SLIPS)]
    fine = 'right: LoopUpdate = {"attempts_total": 1, "outcome": "passed"}'
    # The state's own text, not the package: the checker would read the whole of that.
    (tmp_path / "state.py").write_text((ROOT / "graph" / "state.py").read_text())
    file = tmp_path / "slips.py"
    file.write_text("\n".join(["from state import LoopUpdate", fine, *lines]) + "\n")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--config-file=", str(file)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in checked.stdout.splitlines() if ": error:" in line]
    assert len(errors) == len(SLIPS), checked.stdout + checked.stderr
    for line, named in zip(errors, SLIPS.values(), strict=True):
        assert named in line


def test_studio_is_shown_every_field_with_its_meaning() -> None:
    types = TypeAdapter(LoopState).json_schema()["properties"]
    assert types.keys() == LoopState.__annotations__.keys()
    shown = {
        **build_graph().get_input_jsonschema()["properties"],
        **build_graph().get_output_jsonschema()["properties"],
    }
    assert shown.keys() <= types.keys()
    silent = [name for name, field in {**types, **shown}.items() if not field.get("description")]
    assert silent == []


def test_the_form_has_the_bounds_of_the_settings_and_nothing_else() -> None:
    assert check_form({"seed": 3, "regression_floor": 0.5}) == {"seed": 3, "regression_floor": 0.5}
    assert check_form(dict.fromkeys(RunForm.model_fields)) == {}
    for slip in ({"seed": -1}, {"sed": 1}, {"review": "nobody"}, {"home": "x"}):
        with pytest.raises(BadInput, match=next(iter(slip))):
            check_form(slip)
