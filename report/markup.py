"""HTML that cannot be broken by what stands in it: text is escaped unless it was made here."""

from __future__ import annotations

import html
import re
from typing import Any

from sigmaloop.clean_text import clean

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\u00ad\u034f\u180e\u200b-\u200d\u2028\u2029\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"
    "\ud800-\udfff]"
)
VOID = frozenset({"meta", "br", "circle", "line", "rect", "path"})
"""Elements without content; closed as SVG wants it."""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: object) -> Markup:
    """Anything as text: escaped, and without what cannot be seen or turns the direction of writing."""
    return value if isinstance(value, Markup) else Markup(html.escape(clean(str(value))))


def shown(value: str) -> Markup:
    """Code as text: what cannot be seen is not left out but named, for a reviewer must not overlook it."""
    named = _UNSEEN.sub(lambda found: f"\u27e8U+{ord(found[0]):04X}\u27e9", value)
    return Markup(html.escape(named))


def el(name: str, /, *children: object, **attributes: Any) -> Markup:
    """An element. Children that are None or empty are left out; `class_` and `for_` lose their underscore, another
    one in a name becomes a hyphen; an attribute that is None is left out, True stands alone."""
    parts = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        known = key.rstrip("_").replace("_", "-")
        parts.append(known if value is True else f'{known}="{text(value)}"')
    inside = "".join(text(child) for child in children if child is not None)
    return Markup(f"<{' '.join(parts)}/>" if name in VOID else f"<{' '.join(parts)}>{inside}</{name}>")


def join(parts: Any, between: str = "") -> Markup:
    """Several pieces as one."""
    return Markup(text(between).join(text(part) for part in parts if part))
