"""Pictures of a report as inline SVG: intervals against zero, the night along its attempts, small effects.

Every picture says in words what it shows. Colour never stands alone: kept is a disc, rejected a cross, a known change
a diamond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor, log10

from sigmaloop.report.effects import Effect
from sigmaloop.report.gates import ORDER, TITLES, Group
from sigmaloop.report.markup import Markup, el, join, text
from sigmaloop.report.record import Attempt, Measure, Night
from sigmaloop.report.words import between, count, percent, points, signed

MOST_MARKS = 400
"""More attempts than this are drawn as density."""
MOST_POINTS = 240
"""Points of the score's line."""


@dataclass(frozen=True)
class Axis:
    """Values to pixels."""

    low: float
    high: float
    left: float
    right: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low or 1.0
        return round(self.left + (value - self.low) / span * (self.right - self.left), 1)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values inside."""
        span = self.high - self.low
        if span <= 0:
            return [self.low]
        step = 10.0 ** floor(log10(span / most))
        step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= most)
        first = int(self.low / step) - 1
        values = [number * step for number in range(first, first + 3 * most + 3)]
        return [value for value in values if self.low - 1e-9 <= value <= self.high + 1e-9]


def both(wide: Markup, narrow: Markup) -> Markup:
    """One picture for wide pages and paper, one for phones."""
    return join([el("div", wide, class_="w"), el("div", narrow, class_="n")])


def intervals(measures: Sequence[Measure]) -> Markup:
    """The certified differences against no change."""
    return both(_intervals(measures, width=620, side=118), _intervals(measures, width=300, side=0))


def effect(found: Effect, axis: tuple[float, float], *, width: int = 150) -> Markup:
    """A change's effect with its interval, on an axis that all share."""
    at = Axis(*axis, 5, width - 5)
    good = "good" if found.low > 0 else "bad" if found.high < 0 else ""
    low, high = max(axis[0], found.low), min(axis[1], found.high)
    return _svg(
        width, 18, f"{points(found.difference)} points, {between(found.low, found.high)}", "mini",
        _line(at(0), 0, at(0), 18, "zero"),
        _line(at(low), 9, at(high), 9, f"mci {good}"),
        el("circle", cx=at(min(axis[1], max(axis[0], found.difference))), cy=9, r=4, class_=f"mpt {good}"),
    )  # fmt: skip


def shared_axis(effects: Sequence[Effect]) -> tuple[float, float]:
    """A range that holds zero and every interval."""
    low = min([0.0, *(found.low for found in effects)])
    high = max([0.0, *(found.high for found in effects)])
    room = 0.05 * (high - low) or 0.01
    return low - room, high + room


def change_of(before: float, after: float) -> Markup:
    """A share before and after: a ring, and a disc."""
    at = Axis(0, 1, 6, 114)
    good = "good" if after > before else "bad" if after < before else ""
    return _svg(
        120, 16, f"{percent(before)} before, {percent(after)} after", "mini",
        _line(6, 8, 114, 8, "rail"),
        _line(at(before), 8, at(after), 8, f"mci {good}"),
        el("circle", cx=at(before), cy=8, r=4, class_="was"),
        el("circle", cx=at(after), cy=8, r=4, class_=f"mpt {good}"),
    )  # fmt: skip


def night(found: Night, attempts: Sequence[Attempt]) -> Markup:
    """Score, outcomes and suite along the attempts."""
    return both(_night(found, attempts, width=800, left=214), _night(found, attempts, width=300, left=34))


def _intervals(measures: Sequence[Measure], *, width: int, side: int) -> Markup:
    ends = [value for m in measures for value in (m.low, m.high, m.difference, 0.0) if value is not None]
    room = 0.08 * (max(ends) - min(ends)) or 0.01
    at = Axis(min(ends) - room, max(ends) + room, side + 10, width - 24)
    row, parts = 46, []
    bottom = 14 + row * len(measures)
    for tick in at.ticks(5 if side else 4):
        parts.append(_line(at(tick), 8, at(tick), bottom, "zero" if abs(tick) < 1e-9 else "grid"))
        parts.append(_text(at(tick), bottom + 15, signed(100 * tick, 0), "tick", "middle"))
    parts.append(_text(width - 2, bottom + 32, "points against the agent you started with", "tick", "end"))
    for place, measure in enumerate(measures):
        y, weight = 32 + row * place, "main" if place == 0 else "side"
        if side:
            parts.append(_text(side, y + 5, measure.label, "lab" if place == 0 else "lab2", "end"))
        else:
            parts.append(_text(2, y - 12, measure.label, "lab" if place == 0 else "lab2", "start"))
        if measure.low is not None and measure.high is not None:
            high = 9 if place == 0 else 5
            parts.append(
                el("rect", x=at(measure.low), y=y - high / 2, width=round(at(measure.high) - at(measure.low), 1),
                   height=high, rx=high / 2, class_=f"ci {weight}")
            )  # fmt: skip
        parts.append(el("circle", cx=at(measure.difference), cy=y, r=6 if place == 0 else 4, class_=f"pt {weight}"))
        x = min(max(at(measure.difference), side + 34), width - 26) if side else width - 2
        parts.append(
            _text(x, y - 11 if side else y - 12, points(measure.difference), "val", "middle" if side else "end")
        )
    said = "; ".join(
        f"{m.label}: {points(m.difference)} points"
        + (f", 95% interval {between(m.low, m.high)}" if m.low is not None and m.high is not None else "")
        for m in measures
    )
    return _svg(width, bottom + 38, said, "fig", *parts)


def _night(found: Night, attempts: Sequence[Attempt], *, width: int, left: int) -> Markup:
    wide = left > 100
    at = Axis(0.5, max(1, found.attempts) + 0.5, left, width - (52 if wide else 8))
    parts: list[Markup] = []
    top, y = 28, 28.0
    if found.scores:
        drawn, y = _scores(found, at, top=top, wide=wide)
        parts += drawn
    rows, y = _outcomes(found, attempts, at, y=y + 26, wide=wide)
    parts += rows
    if found.suite:
        drawn, y = _suite(found, at, y=y + 12, wide=wide)
        parts += drawn
    ticks = [tick for tick in at.ticks(8 if wide else 4) if tick == int(tick) and tick >= 1]
    parts += [_text(at(tick), y + 16, count(int(tick)), "tick", "middle") for tick in ticks]
    parts.append(_text(at.right, y + 32, "attempt", "tick", "end"))
    bands = _batches(found, at, top=top, bottom=y, wide=wide)
    outcomes = {group: sum(a.group == group for a in attempts) for group in ("kept", *ORDER)}
    said = f"{count(found.attempts)} attempts: " + ", ".join(
        f"{number} {TITLES[group].lower()}"
        for group, number in outcomes.items()
        if number  # type: ignore[index]
    )
    if found.scores:
        said += f"; held-out tasks solved from {percent(found.scores[0].mean)} to {percent(found.scores[-1].mean)}"
    return _svg(width, y + 40, said, "fig", *bands, *parts)


def _batches(found: Night, at: Axis, *, top: int, bottom: float, wide: bool) -> list[Markup]:
    """Every second batch shaded; numbers where they have room."""
    parts, last = [], -99.0
    starts = [*found.batches, (0, found.attempts + 1)]
    for place, ((batch, first), (_, after)) in enumerate(pairwise(starts)):
        x, end = at(first - 0.5), at(after - 0.5)
        if place % 2 == 0:
            width = round(max(0, end - x), 1)
            parts.append(el("rect", x=x, y=top, width=width, height=round(bottom - top, 1), class_="band0"))
        if (x + end) / 2 - last >= 22:
            last = (x + end) / 2
            parts.append(_text(round(last, 1), top - 6, count(batch), "tick", "middle"))
    parts.append(_text(at.left - 12 if wide else 0, top - 6, "Batch" if wide else "", "tick", "end"))
    return parts


def _scores(found: Night, at: Axis, *, top: int, wide: bool) -> tuple[list[Markup], float]:
    """The running estimate as a stair with its band."""
    scores = _thinned(found.scores)
    low, high = min(score.low for score in scores), max(score.high for score in scores)
    room, bottom = 0.04 * (high - low) or 0.01, top + 190
    up = Axis(max(0, low - room), min(1, high + room), bottom, top)
    parts = []
    for tick in up.ticks(4):
        parts.append(_line(at.left, up(tick), at.right, up(tick), "grid"))
        parts.append(_text(at.left - 6, up(tick) + 4, percent(tick), "tick", "end"))
    if wide:
        labels = (("Held-out tasks solved", "lab"), ("by the current agent,", "lab2"), ("with 95% band", "lab2"))
        parts += [_text(0, top + 46 + 16 * row, label, css, "start") for row, (label, css) in enumerate(labels)]
    ends = [*(score.number for score in scores[1:]), found.attempts + 0.5]
    upper, lower, middle = [], [], []
    for score, end in zip(scores, ends, strict=True):
        begin = at(max(0.5, score.number))
        upper += [(begin, up(score.high)), (at(end), up(score.high))]
        lower += [(begin, up(score.low)), (at(end), up(score.low))]
        middle += [(begin, up(score.mean)), (at(end), up(score.mean))]
    parts.append(el("path", class_="noise", d=_path([*upper, *reversed(lower)]) + "Z"))
    parts.append(el("path", class_="step", d=_path(middle)))
    last = middle[-1]
    x = last[0] + 6 if wide else last[0]
    parts.append(_text(x, last[1] + (5 if wide else -8), percent(scores[-1].mean), "val", "start" if wide else "end"))
    return parts, bottom


def _outcomes(
    found: Night, attempts: Sequence[Attempt], at: Axis, *, y: float, wide: bool
) -> tuple[list[Markup], float]:
    """A row of marks for every way in which attempts ended, and one for the known changes."""
    parts: list[Markup] = []
    step = 21 if wide else 36
    groups = [group for group in ("kept", *ORDER) if group == "kept" or any(a.group == group for a in attempts)]
    for group in groups:
        own = [attempt for attempt in attempts if attempt.group == group]
        parts += _label(TITLES[group], len(own), at, y, wide=wide)  # type: ignore[index]
        parts.append(_line(at.left, y, at.right, y, "rail"))
        parts += _marks(group, own, at, y, dense=len(attempts) > MOST_MARKS)  # type: ignore[arg-type]
        y += step
    if found.known:
        parts += _label("Known changes", len(found.known), at, y, wide=wide)
        parts.append(_line(at.left, y, at.right, y, "rail"))
        for place, name in found.known[:MOST_MARKS]:
            x = at(place)
            d = f"M{x},{y - 5}l5,5l-5,5l-5,-5z"
            parts.append(Markup(f'<path class="can" d="{d}"><title>{text(name)}</title></path>'))
        y += step
    return parts, y - step + 6


def _label(label: str, number: int, at: Axis, y: float, *, wide: bool) -> list[Markup]:
    if not wide:
        return [_text(at.left, y - 12, f"{label}: {count(number)}", "lab3", "start")]
    return [_text(at.left - 44, y + 4, label, "lab2", "end"), _text(at.left - 12, y + 4, count(number), "cnt", "end")]


def _marks(group: Group, own: Sequence[Attempt], at: Axis, y: float, *, dense: bool) -> list[Markup]:
    if dense:
        return _density(group, own, at, y)
    marks = []
    for attempt in own:
        x = at(attempt.number)
        if group == "kept":
            body = f'<circle class="keep" cx="{x}" cy="{y}" r="5">'
            end = "</circle>"
        elif group == "validation":
            body, end = f'<path class="rej" d="M{x - 4},{y - 4}l8,8m0,-8l-8,8">', "</path>"
        else:
            body, end = f'<line class="tickrej" x1="{x}" x2="{x}" y1="{y - 6}" y2="{y + 6}">', "</line>"
        marks.append(Markup(f"{body}<title>{text(attempt.id)}</title>{end}"))
    return marks


def _density(group: Group, own: Sequence[Attempt], at: Axis, y: float) -> list[Markup]:
    """Bars whose height is how many attempts of a stretch ended so."""
    bins = 100
    width = (at.right - at.left) / bins
    counts = [0] * bins
    for attempt in own:
        counts[min(bins - 1, int((at(attempt.number) - at.left) / width))] += 1
    most = max([*counts, 1])
    css = "dens kept" if group == "kept" else "dens"
    return [
        el("rect", class_=css, x=round(at.left + place * width, 1), y=round(y + 8 - 16 * number / most, 1),
           width=round(width, 1), height=round(16 * number / most, 1))
        for place, number in enumerate(counts)
        if number
    ]  # fmt: skip


def _suite(found: Night, at: Axis, *, y: float, wide: bool) -> tuple[list[Markup], float]:
    sizes, bottom = _thinned(found.suite), y + 60
    up = Axis(0, max(size for _, size in sizes), bottom, y + 8)
    corners, height = [(at.left, bottom)], bottom
    for number, size in sizes:
        corners += [(at(number), height), (at(number), up(size))]
        height = up(size)
    corners += [(at.right, height), (at.right, bottom)]
    parts = [el("path", class_="suite", d=_path(corners) + "Z"), _line(at.left, bottom, at.right, bottom, "zero")]
    last = count(sizes[-1][1])
    if wide:
        parts += [
            _text(0, y + 26, "Regression suite", "lab", "start"),
            _text(0, y + 42, "tasks that must stay fixed", "lab2", "start"),
            _text(at.right + 6, height + 5, last, "val", "start"),
        ]
    else:
        parts.append(_text(at.left, y + 4, f"Regression suite: {last} tasks", "lab3", "start"))
    return parts, bottom


def _thinned(values: Sequence):  # type: ignore[type-arg,no-untyped-def]
    """At most `MOST_POINTS` of them, the last one included."""
    step = -(-len(values) // MOST_POINTS)
    kept = list(values[::step])
    return kept if kept[-1] == values[-1] else [*kept, values[-1]]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x},{round(y, 1)}" for x, y in points)


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> Markup:
    return el("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=css)


def _text(x: float, y: float, words: str, css: str, anchor: str) -> Markup:
    return el("text", words, x=x, y=round(y, 1), class_=css, text_anchor=anchor)


def _svg(width: int, height: float, said: str, css: str, *parts: Markup) -> Markup:
    size = f"0 0 {width} {round(height)}"
    return el("svg", *parts, class_=css, viewBox=size, width=width, height=round(height), role="img", aria_label=said)
