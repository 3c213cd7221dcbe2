"""OpenAI's encrypted reasoning on its way through clients of other wires. Pure.

Its models think on from it over a tool call, but only in this wire has it a place of its own. Elsewhere it travels as the
signature of the reasoning's summary, marked as OpenAI's, so that no other vendor ever gets it.
"""

from typing import Final

MARK: Final = "openai#"


def marked(sealed: str) -> str:
    """Encrypted reasoning as other wires carry it."""
    return MARK + sealed


def unmarked(signature: str | None) -> str | None:
    """OpenAI's own again; None if it is another vendor's, or none."""
    return signature.removeprefix(MARK) if signature and signature.startswith(MARK) else None
