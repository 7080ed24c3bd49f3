"""What goes over a wire before anybody has looked at it."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
"""A JSON object. Whoever reads one checks what it needs; what has a shape of ours is a record instead."""
