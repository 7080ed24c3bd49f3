"""Strikes secrets out of whatever leaves our hands: by their exact value, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterable

from sigmaloop.tools.json_types import Json

STRUCK = "[secret]"


class Redactor:
    """Knows the secrets of this process; makes copies without them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # The longest first, or the rest of a secret that contains another would stay.
        self._secrets = tuple(sorted({s for s in secrets if s}, key=lambda s: (-len(s), s)))

    def __bool__(self) -> bool:
        """Whether it knows any."""
        return bool(self._secrets)

    def text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, STRUCK)
        return text

    def tree(self, value: Json) -> Json:
        """The same for every text in a JSON object, keys included."""
        return {self.text(key): self._any(part) for key, part in value.items()} if self._secrets else value

    def _any(self, value: object) -> object:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return self.tree(value)
        if isinstance(value, list):
            return [self._any(part) for part in value]
        return value
