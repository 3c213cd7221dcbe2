"""Tool calls inside of a text: found outside of code, everything else let through at once. Pure."""

import re
from typing import Final

from lynkr_desktop.engine.wire.hidden.code import Code
from lynkr_desktop.engine.wire.hidden.grammar import block
from lynkr_desktop.engine.wire.hidden.known_tools import KnownTools
from lynkr_desktop.engine.wire.hidden.pieces import Pieces, Said
from lynkr_desktop.engine.wire.hidden.source import Mismatch, Source

_TRIGGER: Final = re.compile(r"[<\[{]")
_VAIN_LIMIT: Final = 1_000_000  # characters searched in vain: who prints so many half calls prints no whole one


def read_calls(source: Source, tools: KnownTools) -> Pieces:
    """The text's words and calls. Held back is only what may still become a call."""
    code, vain = Code(), 0
    while not source.is_over:
        found = _TRIGGER.search(source.text, source.at)
        end = found.start() if found else len(source.text)
        if end == source.at < len(source.text):
            start, effort = source.at, source.effort
            if vain < _VAIN_LIMIT and not code.is_inside:
                try:
                    calls = yield from block(source, tools, is_line_start=code.is_line_start)
                except Mismatch:
                    vain += source.effort - effort
                    source.at = start
                else:
                    source.drop()
                    yield from calls
                    continue
            end = start + 1
        if end == source.at:
            yield None
            continue
        words, source.at = source.text[source.at : end], end
        source.drop()
        code.see(words)
        yield Said(words)
