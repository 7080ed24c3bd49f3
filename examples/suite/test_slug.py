"""What `slug` must do."""

import pytest


@pytest.mark.parametrize("number", range(12))
def test_spaces_become_dashes(slug, number):
    assert slug(f"Part {number}") == f"part-{number}"


@pytest.mark.parametrize("title", ["Émile!", "a  b", " x ", "A/B", "100 %", "--", "Ünder", "q?"])
def test_odd_titles(slug, title):
    name = slug(title)
    assert name == name.strip("-").lower()
