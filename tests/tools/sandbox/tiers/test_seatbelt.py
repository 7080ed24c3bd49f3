"""The profile for macOS, as text."""

from __future__ import annotations

import sys

from sigmaloop.tools.sandbox.tiers import seatbelt, tiers


def test_the_seatbelt_profile_denies_first_and_quotes_what_it_names() -> None:
    text = seatbelt.profile(
        executable="/opt/python", files=["/x/worker.py"], roots=["/lib"], holes=["/lib/ours"], scratch='/tmp/a"b\\c'
    )
    lines = text.splitlines()
    assert lines[:2] == ["(version 1)", "(deny default)"]
    assert text.count("(") == text.count(")")
    assert '(subpath "/tmp/a\\"b\\\\c")' in text
    assert lines.index('(allow file-read* (subpath "/lib"))') < lines.index('(deny file-read* (subpath "/lib/ours"))')
    assert "(deny network*)" in lines
    command = seatbelt.command(["-P", "w.py"], executable="/opt/python", text=text)
    assert command[:2] == ["sandbox-exec", "-p"]
    if sys.platform == "linux":
        assert tiers.probe("seatbelt", executable="/opt/python").why == "seatbelt is for macOS"
