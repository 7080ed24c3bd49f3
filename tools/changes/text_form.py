"""How a text file was written: its line ends and its byte order mark, taken off for work and put back after it."""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher

_MARK = "\ufeff"
_LINE_END = re.compile("\r\n|\r|\n")


def text_of(data: bytes) -> str:
    """UTF-8 text without a byte order mark, every line ended by \\n. Raises UnicodeDecodeError."""
    return _LINE_END.sub("\n", data.decode("utf-8-sig"))


def in_form_of(original: bytes, text: str) -> bytes:
    """The text as the file `original` would hold it: a line that it has keeps its end, a new one takes the usual end.

    `text` has \\n as its only line end.
    """
    before = original.decode("utf-8-sig")
    ends = _LINE_END.findall(before)
    usual = Counter(ends).most_common(1)[0][0] if ends else "\n"
    old, new = _LINE_END.split(before), text.split("\n")
    chosen = [usual] * len(new)
    if len(set(ends)) > 1:
        for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
            for step in range(block.size):
                if block.a + step < len(ends):
                    chosen[block.b + step] = ends[block.a + step]
    mark = _MARK if original.startswith(_MARK.encode()) else ""
    return (mark + "".join(line + end for line, end in zip(new[:-1], chosen, strict=False)) + new[-1]).encode()
