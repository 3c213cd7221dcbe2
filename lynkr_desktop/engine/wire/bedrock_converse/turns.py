"""Turns as Converse demands them: alternating, every tool call answered at once, results first, nothing empty.

Pure list work over rendered blocks; knows no other wire.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from lynkr_desktop.engine.wire.bedrock_converse.families import Family

NO_RESULT: Final = "There is no result of this call in the conversation."
OPENING: Final = "(The conversation goes on.)"
BESIDE_DOCUMENT: Final = "(See the document.)"
_IN_RESULTS: Final = frozenset({"text", "image", "document"})


class Block(NamedTuple):
    """A rendered block; the id of the call that it makes or answers, if it does."""

    body: dict[str, Any]
    opens: str = ""
    answers: str = ""


class Turn(NamedTuple):
    """One turn under construction."""

    role: str
    blocks: list[Block]


def turns(messages: Iterable[tuple[str, list[Block]]], family: Family, losses: list[str]) -> list[dict[str, Any]]:
    """Messages for the API, repaired in the same way each time. What was left out, moved or added is told to `losses`."""
    merged = _merged(messages)
    _unique_ids(merged)
    paired = _paired(merged, losses)
    if not paired or paired[0].role == "assistant":
        losses.append("an opening user turn was added")
        paired.insert(0, Turn("user", [Block({"text": OPENING})]))
    for turn in paired:
        if not family.takes_words_beside_results:
            _fold_into_results(turn, losses)
        _put_words_beside_documents(turn, losses)
    _trim_end(paired[-1])
    return [{"role": turn.role, "content": [block.body for block in turn.blocks]} for turn in paired]


def _merged(messages: Iterable[tuple[str, list[Block]]]) -> list[Turn]:
    merged: list[Turn] = []
    for role, blocks in messages:
        if not any("cachePoint" not in block.body for block in blocks):
            continue
        if merged and merged[-1].role == role:
            merged[-1].blocks.extend(blocks)
        else:
            merged.append(Turn(role, list(blocks)))
    return merged


def _trim_end(last: Turn) -> None:
    """Models refuse a last assistant turn that ends in white space."""
    body = last.blocks[-1].body
    if last.role == "assistant" and "text" in body:
        last.blocks[-1] = Block({"text": body["text"].rstrip()})


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
                turn.blocks[index] = Block({"toolUse": {**block.body["toolUse"], "toolUseId": fresh}}, opens=fresh)
            elif block.answers:
                fresh = current.get(block.answers, block.answers)
                turn.blocks[index] = Block({"toolResult": {**block.body["toolResult"], "toolUseId": fresh}}, answers=fresh)


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
    """A user turn in order. A cache point stays behind the result that it came with."""
    given: dict[str, list[Block]] = {}
    rest: list[Block] = []
    for index, block in enumerate(blocks):
        follows_result = "cachePoint" in block.body and index > 0 and bool(blocks[index - 1].answers)
        if block.answers:
            given[block.answers] = [block]  # the last payload of each
        elif follows_result:
            given[blocks[index - 1].answers].append(block)
        else:
            rest.append(block)
    if any(call_id not in expected for call_id in given):
        losses.append("a tool result without its call")
    missing = [call_id for call_id in expected if call_id not in given]
    if missing:
        losses.append("a missing tool result was added")
    results = [block for call_id in given if call_id in expected for block in given[call_id]]
    results += [
        Block({"toolResult": {"toolUseId": call_id, "content": [{"text": NO_RESULT}]}}, "", call_id) for call_id in missing
    ]
    return results + rest


def _fold_into_results(turn: Turn, losses: list[str]) -> None:
    """Most families refuse words beside a tool's result; the API would have the turns alternate if they were parted."""
    last = next((index for index in reversed(range(len(turn.blocks))) if turn.blocks[index].answers), None)
    if last is None:
        return
    beside = [block for block in turn.blocks if _IN_RESULTS & set(block.body)]
    if not beside:
        return
    losses.append("the place of words beside a tool result")
    holder = turn.blocks[last]
    result = holder.body["toolResult"]
    content = [*result["content"], *(block.body for block in beside)]
    turn.blocks[last] = Block({"toolResult": {**result, "content": content}}, answers=holder.answers)
    turn.blocks[:] = [block for block in turn.blocks if not _IN_RESULTS & set(block.body)]


def _put_words_beside_documents(turn: Turn, losses: list[str]) -> None:
    """The API refuses a document without any text in its turn."""
    kinds = {kind for block in turn.blocks for kind in block.body}
    if "document" in kinds and "text" not in kinds:
        losses.append("words beside a document were added")
        turn.blocks.append(Block({"text": BESIDE_DOCUMENT}))
