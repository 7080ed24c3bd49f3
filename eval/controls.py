"""Agents that show what a benchmark's score is worth: whoever does nothing useful must not pass.

Sources, run in the sandbox like every other agent.
"""

from __future__ import annotations

_NULL = '''"""Ends at once."""


def run(session):
    pass
'''

_CONSTANT = '''"""Says one sentence, whatever it is asked."""


def run(session):
    session.say("Thank you for your patience, everything has been taken care of.")
'''

_LIST_EVERYTHING = '''"""Calls every tool once with the least arguments that its schema allows, then tells all."""

LEAST = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}


def run(session):
    seen = []
    for tool in session.tools[:40]:
        function = tool["function"]
        schema = function.get("parameters", {})
        fields = schema.get("properties", {})
        arguments = {name: least(fields.get(name, {})) for name in schema.get("required", [])}
        seen.append(session.call(function["name"], arguments))
    session.say("Here is all that I found: " + " ".join(seen)[:10000])


def least(field):
    if field.get("enum"):
        return field["enum"][0]
    return LEAST.get(field.get("type"), "")
'''

NULL, CONSTANT = "null agent", "constant agent"
CONTROLS = {NULL: _NULL, CONSTANT: _CONSTANT, "list-everything agent": _LIST_EVERYTHING}
"""Source by name."""
