"""Tokens counted with a real vocabulary, offline. For worker threads: the first count reads it, in about half a second.

The vocabulary is compiled into a package that is imported with the first count, so that start-up and the request path never pay;
from then on it takes 65 MiB. It is OpenAI's of GPT-4o and later, and exact for their texts. Other vendors publish none that fits
all their models; theirs cut most texts into about as many pieces, so that the count stays an estimate.
"""

from collections.abc import Callable
from functools import cache
from typing import Final

from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.tokens import estimate_tokens, text_weight

_VOCABULARY: Final = "o200k_base"


def counted_tokens(request: ChatRequest) -> int:
    """How many input tokens a request is: its texts counted, pictures and frames by their rules. At least 1."""
    return estimate_tokens(request, weigher())


@cache
def weigher() -> Callable[[str], float]:
    """What counts one text; the estimate by pieces where the package is not installed."""
    try:
        import toktok  # noqa: PLC0415 - only who counts pays
    except ImportError:
        return text_weight
    toktok.batch_count(["once, so that it is read"], _VOCABULARY, threads=1)

    def counted(text: str) -> float:
        clean = text.encode("utf-8", "replace").decode()  # half a pair of surrogates is nothing that could be counted
        return float(toktok.batch_count([clean], _VOCABULARY, threads=1)[0])

    return counted
