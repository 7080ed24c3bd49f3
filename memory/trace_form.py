"""How a trace is stored: its steps and its course, each as compressed JSON.

The steps are what a rollout's hash covers, byte for byte as JSON; the course holds times and is not.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence

from pydantic import TypeAdapter

from sigmaloop.records import NO_COURSE, Course, ModelCall, Step

APART = b""
"""In place of the steps of a rollout whose trace is kept apart."""
STEPS = "CASE WHEN rollouts.trace = x'' THEN apart.trace ELSE rollouts.trace END"
"""The column of a rollout's steps, wherever they stand, in SQL that joins `apart` by id."""
_STEPS = TypeAdapter(tuple[Step, ...])


def pack_steps(steps: Sequence[Step]) -> bytes:
    # json, not pydantic's own writer: arguments of a tool call may hold text that is no valid Unicode.
    text = json.dumps([step.model_dump() for step in steps], separators=(",", ":"))
    return zlib.compress(text.encode())


def unpack_steps(data: bytes) -> tuple[Step, ...]:
    """Raises zlib.error or ValueError for what is damaged."""
    return _STEPS.validate_python(json.loads(zlib.decompress(data)))


def pack_course(course: Course) -> bytes | None:
    """Rows instead of objects, a third of the size; None for an empty one."""
    if course == NO_COURSE:
        return None
    models = list(dict.fromkeys(call.model for call in course.calls))
    rows = [
        [
            c.step,
            models.index(c.model),
            c.prompt,
            c.input_tokens,
            c.output_tokens,
            None if c.seconds is None else round(c.seconds, 3),
        ]
        for c in course.calls
    ]
    seen = [round(at, 3) for at in course.seen]
    return zlib.compress(json.dumps([models, rows, seen], separators=(",", ":")).encode())


def unpack_course(data: bytes | None) -> Course:
    """Raises zlib.error or ValueError for what is damaged."""
    if not data:
        return NO_COURSE
    models, rows, seen = json.loads(zlib.decompress(data))
    calls = tuple(
        ModelCall(step=step, model=models[model], prompt=prompt, input_tokens=sent, output_tokens=got, seconds=seconds)
        for step, model, prompt, sent, got, seconds in rows
    )
    return Course(calls=calls, seen=tuple(seen))
