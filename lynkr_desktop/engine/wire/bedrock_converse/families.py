"""What the model families behind the Converse API take. One API, but not one set of rules. Pure."""

import re
from typing import Final, NamedTuple

NAME: Final = "bedrock_converse"
_CLAUDE: Final = re.compile(r"\bclaude\b", re.IGNORECASE)
_NOVA: Final = re.compile(r"\bnova\b", re.IGNORECASE)
_MISTRAL: Final = re.compile(r"\bmistral\b", re.IGNORECASE)
_MINIMAX: Final = re.compile(r"\bminimax\b", re.IGNORECASE)


class Family(NamedTuple):
    """What a family takes beyond the common ground. An unknown one takes nothing more.

    Source: Bedrock's user guide on the Converse API, prompt caching and tool use, read in November 2026.
    """

    is_claude: bool = False  # Anthropic's own fields may go along, and its rules on reasoning hold
    takes_cache_points: bool = False
    takes_forced_calls: bool = False  # a tool choice other than "auto"
    takes_status: bool = False  # of a tool's result
    takes_unsigned_thinking: bool = False
    takes_words_beside_results: bool = False  # in one turn


CLAUDE: Final = Family(
    is_claude=True, takes_cache_points=True, takes_forced_calls=True, takes_status=True, takes_words_beside_results=True
)
NOVA: Final = Family(takes_cache_points=True, takes_forced_calls=True, takes_status=True, takes_unsigned_thinking=True)


def family_of(model: str) -> Family:
    """The family that a model's id, or the end of its ARN, tells."""
    if _CLAUDE.search(model):
        return CLAUDE
    if _NOVA.search(model):
        return NOVA
    if _MISTRAL.search(model):
        return Family(takes_forced_calls=True)
    return Family(takes_unsigned_thinking=bool(_MINIMAX.search(model)))
