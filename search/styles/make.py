"""The style that a name means."""

from __future__ import annotations

from sigmaloop.search.styles.directed import Directed
from sigmaloop.search.styles.expel import Expel
from sigmaloop.search.styles.opro import Opro
from sigmaloop.search.styles.reflexion import Reflexion
from sigmaloop.search.styles.shown import Style, StyleName
from sigmaloop.search.styles.voyager import Voyager


def make_style(name: StyleName) -> Style:
    made: dict[StyleName, Style] = {
        "directed": Directed(),
        "reflexion": Reflexion(),
        "expel": Expel(),
        "opro": Opro(),
        "voyager": Voyager(),
    }
    return made[name]
