"""report.html: well made, inert whatever a model wrote, and small whatever a run did."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from made_runs import certificate, made_run
from page_check import read_page

from sigmaloop.clean_text import unseen
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import RunPaths
from sigmaloop.report.build import build_report
from sigmaloop.report.diff_markup import diff_block
from sigmaloop.report.home_page import RunRow, home_page
from sigmaloop.report.page import MOST_BYTES, POLICY, page, style
from sigmaloop.report.record import Report

BOTH = (certificate(), certificate("validation"))
NASTY = (
    "</style></title><script>alert(1)</script><img src=x onerror=alert(1)> \"'><a href=javascript:x>&lt;"
    "\u202eevil\u2066 \x1b[31m\x00 zero\u200bwidth ]]> <!-- " + "x" * 900
)


def report_of(paths: RunPaths, **more: Any) -> Report:
    with Journal(paths.journal, readonly=True) as journal:
        return build_report(paths, journal, **{"condition": "finished", **more})


@pytest.mark.parametrize(
    "made",
    [{"certificates": BOTH}, {"certificates": BOTH, "kept": ()}, {}, {"begun": False}, {"attempts": 60, "kept": (5,)}],
    ids=["full", "none kept", "uncertified", "nothing at all", "many"],
)  # fmt: skip
def test_a_page_is_well_made_and_can_do_nothing(tmp_path: Path, made: dict[str, Any]) -> None:
    drawn = page(report_of(made_run(tmp_path, **made)))
    read = read_page(drawn)
    assert {"http-equiv": "Content-Security-Policy", "content": POLICY} in read.metas
    assert all(link.startswith("#") and link[1:] in read.ids for link in read.links)
    assert drawn.isprintable() or not re.search("[\x00-\x09\x0b-\x1f]", drawn)
    assert "None" not in read.text.replace("None of", "")


def test_a_run_in_which_nothing_happened_has_no_empty_sections(tmp_path: Path) -> None:
    drawn = page(report_of(made_run(tmp_path, begun=False), condition="new"))
    assert "<section" not in drawn
    assert len(drawn) < 25_000


def test_words_of_a_model_are_words_on_the_page(tmp_path: Path) -> None:
    paths = made_run(tmp_path, words=NASTY[:2900], certificates=BOTH)
    report = report_of(paths, whole_diff=f"+{NASTY}\ud800")
    drawn = page(report)
    read = read_page(drawn)
    assert unseen(drawn) == ""
    drawn.encode()  # no half of a character is left
    assert "javascript" not in "".join(read.links)
    assert "<script>alert(1)</script>" in read.text, "shown as it was written"
    asking = report_of(paths, condition="paused", question={"question": NASTY, "diff": NASTY, "answers": ["approve"]})
    read_page(page(asking))
    read_page(home_page(tmp_path, [RunRow(run_id="r", report=report), RunRow(run_id="s", problem=NASTY)]))


def test_a_diff_names_what_cannot_be_seen_and_cuts_what_nobody_reads() -> None:
    block = diff_block("--- a\n+++ b\n@@ -1 +1 @@\n+if x:\u202e pass\u200b\n-" + "y" * 900 + "\n" + "+z\n" * 300)
    assert "\u27e8U+202E\u27e9" in block
    assert "\u27e8U+200B\u27e9" in block
    assert "600 more characters" in block
    assert "182 more lines" not in block
    assert "183 more lines" in block
    assert block.count("<ins>") == 118
    assert diff_block("") == ""


def test_a_title_of_five_hundred_characters_is_cut_with_a_mark(tmp_path: Path) -> None:
    read = read_page(page(report_of(made_run(tmp_path, words="w" * 500, certificates=BOTH))))
    assert max(len(word) for word in read.text.split()) <= 500
    assert "w" * 221 not in "".join(word for word in read.words if "…" in word and len(word) < 240)
    assert any(word.endswith("…") for word in read.words)


def test_ten_thousand_attempts_fit_and_say_where_the_rest_is(tmp_path: Path) -> None:
    kept = range(100, 10_001, 200)
    report = report_of(made_run(tmp_path, attempts=10_000, kept=kept, words="long words " * 60, certificates=BOTH))
    drawn = page(report)
    assert len(drawn.encode()) <= MOST_BYTES
    read = read_page(drawn)
    assert "results.tsv" in read.text
    assert "10 more changes: see results.tsv" in read.text
    assert drawn.count('class="dens') > 50, "marks became density"


def test_colour_contrast_of_every_text_is_at_least_four_and_a_half() -> None:
    sheets = re.findall(r":root\{([^}]*)\}", style())
    assert len(sheets) == 3, "light, dark and print"
    light, *others = [dict(re.findall(r"--(\w+):(#[0-9a-f]{3,6})(?=[;}]|$)", sheet)) for sheet in sheets]
    for sheet in (light, *({**light, **other} for other in others)):
        for ink, ground in (
            ("ink", "bg"), ("mut", "bg"), ("mut", "soft"), ("good", "bg"), ("bad", "bg"), ("good", "goodbg"),
            ("bad", "badbg"), ("part", "partbg"), ("bg", "good"), ("bg", "bad"), ("ink", "partbg"), ("ink", "goodbg"),
        ):  # fmt: skip
            assert contrast(sheet[ink], sheet[ground]) >= 4.5, (ink, ground, sheet[ink], sheet[ground])


def contrast(one: str, other: str) -> float:
    """WCAG 2.1 contrast of two colours."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_runs_side_by_side_are_links_with_their_answers(tmp_path: Path) -> None:
    first = report_of(made_run(tmp_path, certificates=BOTH))
    other = report_of(made_run(tmp_path, run_id="bbbb-other", kept=()), condition="ready")
    drawn = home_page(tmp_path, [RunRow(run_id="bbbb-other", report=other), RunRow(run_id=first.run_id, report=first)])
    read = read_page(drawn)
    assert "Better" in read.text
    assert "Stopped" in read.text
    assert f"runs/{first.run_id}/report.html" in read.links
    assert "Start one" in home_page(tmp_path, [])
