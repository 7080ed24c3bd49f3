"""The page in a real browser: nothing to scroll sideways, nothing clipped, no request, and no barrier that axe knows.

Needs playwright and a Chromium (`make browser`); without them these tests are skipped and say so.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_runs import certificate, made_run

from sigmaloop.memory.journal import Journal
from sigmaloop.report.build import build_report
from sigmaloop.report.page import page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make browser")

CLIPPED = """() => [...document.querySelectorAll('body *')].filter(e => {
  const s = getComputedStyle(e);
  if (e.closest('.vh, .skip, svg') || s.display === 'none' || s.display === 'inline') return false;
  return (s.overflowX === 'hidden' || s.overflowX === 'clip') && e.scrollWidth > e.clientWidth + 1
    || e.getBoundingClientRect().right > document.documentElement.clientWidth + 1;
}).map(e => e.outerHTML.slice(0, 120))"""
OVERLAPPING = """() => {
  const found = [];
  for (const svg of document.querySelectorAll('svg.fig')) {
    const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()])
      .filter(([, b]) => b.width);
    boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
      if (p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 5 && q.top < p.bottom - 5)
        found.push(a + ' | ' + b);
    }));
  }
  return found;
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        where = Path(driver.chromium.executable_path)
        found = str(where) if where.exists() else shutil.which("chromium") or shutil.which("google-chrome")
        if not found:
            pytest.skip("there is no Chromium: make browser")
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything on it, long words too."""
    folder = tmp_path_factory.mktemp("drawn")
    both = [certificate(difference=0.31), certificate("validation", difference=0.12)]
    words = "wordwithoutanyend" * 12 + " and more"
    paths = made_run(folder, attempts=40, kept=(2, 12), certificates=both, words=words, batches=14)
    with Journal(paths.journal, readonly=True) as journal:
        report = build_report(paths, journal, condition="finished")
    (folder / "report.html").write_text(page(report), encoding="utf-8")
    return folder / "report.html"


@pytest.mark.parametrize("width", [1280, 400, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways_is_clipped_overlaps_or_is_asked_for(
    chromium: Any, drawn: Path, width: int, scheme: str
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab, asked, said = context.new_page(), [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(drawn.as_uri())
    assert asked == [drawn.as_uri()]
    assert said == [], "the policy of the page refused something of its own"
    tab.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert tab.evaluate(CLIPPED) == []
    assert tab.evaluate(OVERLAPPING) == []
    context.close()


def test_it_prints_on_white_paper_with_its_changes_open(chromium: Any, drawn: Path) -> None:
    context = chromium.new_context(color_scheme="dark")
    tab = context.new_page()
    tab.goto(drawn.as_uri())
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert tab.pdf(format="A4")[:5] == b"%PDF-"
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(chromium: Any, drawn: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed: make browser")
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme, bypass_csp=True)
    tab = context.new_page()
    tab.goto(drawn.as_uri())
    tab.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
    found = axe.Axe().run(tab).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == []
    context.close()
