"""Draw the loop into docs/architecture.md from the code: `make docs`."""

from __future__ import annotations

import re
from pathlib import Path

from sigmaloop.graph.build import build_graph

PAGE = Path(__file__).parent.parent / "docs" / "architecture.md"
BLOCK = re.compile(r"(<!-- graph -->\n).*?(<!-- /graph -->)", re.DOTALL)


def drawing() -> str:
    """The graph as a Mermaid block, without colours."""
    mermaid = build_graph().get_graph().draw_mermaid(with_styles=False)
    return f"```mermaid\n{mermaid.strip()}\n```\n"


def main() -> None:
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(BLOCK.sub(lambda m: m[1] + drawing() + m[2], text), encoding="utf-8")
    print(f"drew the graph into {PAGE.name}")


if __name__ == "__main__":
    main()
