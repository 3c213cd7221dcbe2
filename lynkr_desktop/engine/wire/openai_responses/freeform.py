"""The free text of a custom tool inside the JSON of the function that stands for it, piece by piece. Pure."""

import json
import re
from typing import Final

from lynkr_desktop.engine.wire.openai_responses.tools import freeform_text

_HEAD: Final = re.compile(r'\s*\{\s*"input"\s*:\s*"')
_HEAD_LIMIT: Final = 64  # characters; by then it has come, or never will
_HIGH: Final = r"\\u[dD][89abAB][0-9a-fA-F]{2}"  # the first half of a character beyond 16 bits: its second may follow
# What can be read for certain: no escape that has only begun, no first half whose second may still come.
_CERTAIN: Final = re.compile(
    rf'(?:[^"\\]+|\\[^u]|{_HIGH}\\u[0-9a-fA-F]{{4}}|{_HIGH}(?=[^\\]|\\[^u])|\\u(?![dD][89abAB])[0-9a-fA-F]{{4}})*', re.DOTALL
)


class FreeformReader:
    """Takes arguments as they come and gives the text that is certain. Arguments in an odd form are read at the end."""

    def __init__(self) -> None:
        self._given: list[str] = []
        self._odd: list[str] = []  # of arguments that have another form
        self._pending = ""
        self._is_inside = False

    def feed(self, piece: str) -> str:
        """The text that this piece makes certain; often empty."""
        if self._odd:
            self._odd.append(piece)
            return ""
        self._pending += piece
        if not self._is_inside:
            head = _HEAD.match(self._pending)
            if head is None:
                if len(self._pending) > _HEAD_LIMIT:
                    self._odd.append(self._pending)
                return ""
            self._is_inside, self._pending = True, self._pending[head.end() :]
        found = _CERTAIN.match(self._pending)
        end = found.end() if found else 0
        text, self._pending = self._pending[:end], self._pending[end:]
        return self._give(text)

    def _give(self, text: str) -> str:
        try:
            decoded = json.loads(f'"{text}"', strict=False)  # models put bare line feeds into strings
        except ValueError:
            decoded = text
        found = str(decoded).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        self._given.append(found)
        return found

    def close(self) -> tuple[str, str]:
        """What is left to give, and the whole text."""
        if self._is_inside:
            return "", "".join(self._given)
        whole = freeform_text("".join(self._odd) or self._pending)
        return whole, whole
