"""Gemini's thought signatures on their way through clients of other wires. Pure.

Newer models refuse a conversation whose tool calls come back without the signature that they were made with. Other wires have no
place for it at a call, but some have one at reasoning: there it travels, marked as ours, so that no other vendor's signature is
ever sent to Google. Where even that is lost, the value that Google documents for histories of other models stands in.
"""

from typing import Final

MARK: Final = "gemini#"
STAND_IN: Final = "skip_thought_signature_validator"


def marked(signature: str) -> str:
    """A signature as other wires carry it."""
    return MARK + signature


def unmarked(signature: str | None) -> str | None:
    """Google's own signature again; None if it is another vendor's, or none."""
    return signature.removeprefix(MARK) if signature and signature.startswith(MARK) else None
