"""The values that routing takes and gives. Pure data."""

from typing import Literal

import msgspec

from lynkr_desktop.config.settings import Target, Tier


class Facts(msgspec.Struct, frozen=True):
    """What the score may know of a request. `text` is the last human ask with everything that programs added taken out."""

    text: str
    earlier_texts: tuple[str, ...] = ()  # human asks before it, newest first
    client: str = ""  # id of the client profile: claude-code, codex, …; empty if unknown
    message_count: int = 0
    tool_names: tuple[str, ...] = ()  # only those beyond the client's own fixed list
    all_tool_count: int = 0
    tool_result_count: int = 0  # since the last human ask
    has_images: bool = False
    has_output_schema: bool = False
    body_bytes: int = 0
    is_tool_turn: bool = False  # the last message holds only tool results
    session: str = ""
    text_chars: int = 0  # length of the whole ask; `text` holds only head and tail of a long one
    plan: str = ""  # the assistant's last words before the ask, where the ask is a bare go-ahead
    is_side_request: bool = False  # a program asks on its own behalf: a title, a topic check, a suggestion
    earlier_tool_result_count: int = 0  # before the last human ask
    project: str = ""  # as the client's address or header names it


class Dimension(msgspec.Struct, frozen=True):
    """One signal's part in a score: `value` 0 to 100 as measured, `points` what it added to or took from the score."""

    name: str
    value: float
    points: float
    reason: str  # one short sentence for the user


class Score(msgspec.Struct, frozen=True):
    """How hard the request is, 0 to 100, and why. `forced` names the rule that decided alone, if one did."""

    value: int
    dimensions: tuple[Dimension, ...] = ()
    forced: str = ""
    floor: Tier | None = None  # a minimum tier, by a rule or by the kind of work
    work: str = "single_shot"  # the kind of work: also tool_chain, iterative, autonomous
    risk: str = ""  # what the ask would change that is costly to break


Method = Literal["score", "force", "pin", "direct", "requested", "sticky", "window", "observe", "cascade"]


class Route(msgspec.Struct, frozen=True):
    """Where a request goes. `targets` in the order of trying, each with the tier that it belongs to (None in Direct mode)."""

    targets: tuple[tuple[Target, Tier | None], ...]
    tier: Tier | None
    score: Score | None
    method: Method
    reason: str  # one sentence
    shadow_tier: Tier | None = None  # what the score would have chosen, where it is only observed
    shadow_target: Target | None = None
