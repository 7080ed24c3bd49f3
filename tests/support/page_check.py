"""A strict reading of a page: what is opened is closed, ids are unique, links lead somewhere, nothing can act."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br"}
MAY_ACT = {"script", "iframe", "object", "embed", "form", "input", "button", "base", "link", "img", "audio", "video"}


class Page(HTMLParser):
    """Raises AssertionError where a page is not well made; afterwards tells its text, ids, links and metas."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.metas: list[dict[str, str | None]] = []
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.feed(source)
        self.close()
        assert not self.open, f"left open: {self.open}"
        assert len(self.ids) == len(set(self.ids)), "an id twice"
        assert not self.tags & MAY_ACT, self.tags & MAY_ACT

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._seen(tag, attrs)
        assert tag not in VOID, f"{tag} is not closed as SVG wants it"
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._seen(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    def _seen(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        known = dict(attrs)
        assert not any(name.startswith("on") for name in known), f"{tag} has {known}"
        assert not {"src", "srcset", "action", "formaction", "xlink:href"} & known.keys()
        if known.get("id"):
            self.ids.append(str(known["id"]))
        if tag == "a":
            self.links.append(str(known.get("href")))
        if tag == "meta":
            self.metas.append(known)


def read_page(source: str) -> Page:
    """The page, read strictly."""
    return Page(source)
