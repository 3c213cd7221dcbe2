"""Names and ids that must fit a vendor's rules, changed so that the same name always gives the same result. Pure."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final

_SAFE: Final = re.compile(r"[a-zA-Z0-9_-]+")
_UNSAFE: Final = re.compile(r"[^a-zA-Z0-9_-]+")
_SAFE_USER: Final = re.compile(r"[a-zA-Z0-9_.@-]{1,64}")


def digest(text: str, length: int) -> str:
    """So many hexadecimal digits (at most 64) that stand for a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def fitting(name: str, limit: int) -> str:
    """The name itself if it is made of letters, digits, `_` and `-` and is short enough; else a short form with a digest."""
    if len(name) <= limit and _SAFE.fullmatch(name):
        return name
    return f"{_UNSAFE.sub('_', name)[: limit - 9]}_{digest(name, 8)}"


class ToolNames:
    """The names of a request's tools as a vendor takes them."""

    def __init__(self, limit: int, *, starts_with_letter: bool = False) -> None:
        self._limit = limit
        self._starts_with_letter = starts_with_letter
        self._fitted: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        """The vendor's name for the client's name."""
        found = self._fitted.get(name)
        if found is None:
            found = self._fitted[name] = self._fit(name)
        return found

    def _fit(self, name: str) -> str:
        if self._starts_with_letter and not (name[:1].isalpha() or name.startswith("_")):
            return "_" + fitting(name, self._limit - 1)
        return fitting(name, self._limit)

    @property
    def renamed(self) -> Mapping[str, str]:
        """Vendor's name → client's name, of those that differ."""
        return {fitted: name for name, fitted in self._fitted.items() if fitted != name}


def is_foreign(signature: str) -> bool:
    """Is this the signature of another vendor's model, on its way through a client of this wire?

    The wire that lends it writes its own name and `#` before it; vendors' own signatures are base64, which has no such sign.
    """
    return "#" in signature


def safe_user(user: str) -> str:
    """A user id that every vendor takes: itself, or 64 hexadecimal digits in its place (OpenAI allows 64 characters)."""
    return user if _SAFE_USER.fullmatch(user) else digest(user, 64)


def losses_of(phrases: Iterable[str]) -> tuple[str, ...]:
    """Each phrase once, in order."""
    return tuple(dict.fromkeys(phrases))
