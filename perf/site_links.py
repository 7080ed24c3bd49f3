"""Links of the docs that leave docs/: mkdocs calls this for every page.

In a checkout such a link opens the file beside the docs. On the site it leads to the file in the repository, if
mkdocs.yml names a `repo_url`; otherwise its text stays. A link to a file that is not there is a warning, with which
a strict build fails.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any

LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<path>\.\./[^)#\s]+)\)")
log = logging.getLogger("mkdocs.hooks.site_links")


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """The page's text with its links out of docs/ resolved."""
    docs = Path(config["docs_dir"])

    def resolved(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(docs / Path(page.file.src_uri).parent / link["path"]))
        if target.is_relative_to(docs):
            return link[0]
        if not target.exists():
            log.warning("%s links to %s, which does not exist", page.file.src_uri, link["path"])
        if config.get("repo_url"):
            return f"[{link['text']}]({config['repo_url'].rstrip('/')}/blob/main/{target.relative_to(docs.parent)})"
        return link["text"]

    return LINK.sub(resolved, markdown)
