"""The parent's way to read frames: what `frames.decode` says, several times faster for an honest child.

A child sends its conversation anew with every model call, so reading frames is most of what a rollout costs us.
"""

from __future__ import annotations

import orjson

from sigmaloop.tools.sandbox.child import frames


def decode(payload: bytes) -> frames.Json:
    """The message of a frame's JSON bytes. Raises FrameError.

    Bytes that come out the same when their value is written again hide nothing: no key stands twice, no number is
    out of range. All others are read with care.
    """
    try:
        value = orjson.loads(payload)
        plain = isinstance(value, dict) and orjson.dumps(value) == payload
    except (orjson.JSONDecodeError, TypeError):
        plain = False
    if not plain:
        return frames.decode(payload)
    frames.check_depth(value)
    return value  # type: ignore[no-any-return]
