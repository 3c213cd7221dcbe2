"""Turns as the Messages API demands them: alternating, every tool call answered at once, nothing empty.

Pure list work over rendered blocks; knows no other wire.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

NO_RESULT = "There is no result of this call in the conversation."


class Block(NamedTuple):
    """A rendered block; the id of the call that it makes or answers, if it does."""

    body: Any
    opens: str = ""
    answers: str = ""


class Turn(NamedTuple):
    """One turn under construction."""

    role: str
    blocks: list[Block]


def turns(messages: Iterable[tuple[str, list[Block]]], losses: list[str]) -> list[dict[str, Any]]:
    """Messages for the API, repaired in the same way each time. What was left out or added is told to `losses`."""
    merged = _merged(messages)
    _unique_ids(merged)
    paired = _paired(merged, losses)
    if not paired or paired[0].role == "assistant":
        losses.append("an opening user turn was added")
        paired.insert(0, Turn("user", [Block({"type": "text", "text": "(The conversation goes on.)"})]))
    _trim_end(paired[-1])
    return [{"role": turn.role, "content": [block.body for block in turn.blocks]} for turn in paired]


def _merged(messages: Iterable[tuple[str, list[Block]]]) -> list[Turn]:
    merged: list[Turn] = []
    for role, blocks in messages:
        if not blocks:
            continue
        if merged and merged[-1].role == role:
            merged[-1].blocks.extend(blocks)
        else:
            merged.append(Turn(role, list(blocks)))
    return merged


def _trim_end(last: Turn) -> None:
    """The API refuses a last assistant turn that ends in white space."""
    body = last.blocks[-1].body
    if last.role == "assistant" and body.get("type") == "text":
        last.blocks[-1] = Block({**body, "text": body["text"].rstrip()})


def _unique_ids(merged: list[Turn]) -> None:
    """Some servers use the same call ids in every turn; the API wants each once. Results follow the call before them."""
    seen: dict[str, int] = {}
    current: dict[str, str] = {}
    for turn in merged:
        for index, block in enumerate(turn.blocks):
            if block.opens:
                times = seen[block.opens] = seen.get(block.opens, 0) + 1
                fresh = block.opens if times == 1 else f"{block.opens[:58]}_{times}"
                current[block.opens] = fresh
                turn.blocks[index] = Block({**block.body, "id": fresh}, opens=fresh)
            elif block.answers:
                fresh = current.get(block.answers, block.answers)
                turn.blocks[index] = Block({**block.body, "tool_use_id": fresh}, answers=fresh)


def _paired(merged: list[Turn], losses: list[str]) -> list[Turn]:
    """Results first in the turn after their calls, one for each call, none without a call."""
    paired: list[Turn] = []
    expected: list[str] = []
    for turn in merged:
        if turn.role == "assistant":
            paired.append(turn)
            expected = [block.opens for block in turn.blocks if block.opens]
            continue
        paired.append(Turn(turn.role, _answers(turn.blocks, expected, losses)))
        expected = []
    if expected:
        paired.append(Turn("user", _answers([], expected, losses)))
    return _merged((turn.role, turn.blocks) for turn in paired)


def _answers(blocks: list[Block], expected: list[str], losses: list[str]) -> list[Block]:
    given = {block.answers: block for block in blocks if block.answers}  # the last payload of each
    order = list(dict.fromkeys(block.answers for block in blocks if block.answers))
    if any(call_id not in expected for call_id in order):
        losses.append("a tool result without its call")
    missing = [call_id for call_id in expected if call_id not in given]
    if missing:
        losses.append("a missing tool result was added")
    results = [given[call_id] for call_id in order if call_id in expected]
    results += [
        Block({"type": "tool_result", "tool_use_id": call_id, "content": NO_RESULT, "is_error": True}) for call_id in missing
    ]
    return results + [block for block in blocks if not block.answers]
