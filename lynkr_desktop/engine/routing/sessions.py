"""What is remembered of conversations, so that one stays with its model. Bounded; no prompt text; time is passed in."""

import hashlib
from collections import OrderedDict
from typing import Final

import msgspec

from lynkr_desktop.config.settings import Pin, Routing, Target, Tier
from lynkr_desktop.engine.chat.request import ChatRequest, TextPart

MOST_SESSIONS: Final = 2000
KEPT_SECONDS: Final = 6 * 3600.0
_PARTS_SEEN: Final = 12
_HEAD_CHARS: Final = 128
_TAIL_CHARS: Final = 512
_MESSAGES_SEEN: Final = 8


class Standing(msgspec.Struct, frozen=True):
    """Where a conversation stands: who served its last turn, in which tier, and how much of it is warm there.

    `wanted` is the tier that was decided; the one that served differs after a failover. `is_settled`: work has begun, so that a
    new ask is measured against it. `routing` and `pin` are what it was decided under. `used_at` in seconds of the caller's clock.
    """

    target: Target
    tier: Tier | None
    wanted: Tier | None
    is_settled: bool
    warm_tokens: int
    used_at: float
    routing: Routing
    pin: Pin | None = None

    @property
    def is_below_wish(self) -> bool:
        """Did a lesser tier serve than was wanted, or none?"""
        return self.wanted is not None and (self.tier is None or self.tier.rank < self.wanted.rank)


class Turn(msgspec.Struct, frozen=True):
    """A turn under way: its conversation's key, the tier decided for it, and what else a `Standing` keeps of it."""

    key: bytes
    wanted: Tier | None
    is_settled: bool
    routing: Routing
    pin: Pin | None = None


class Sessions:
    """The conversations of the last hours, the least recently used forgotten first."""

    def __init__(self) -> None:
        self._standings: OrderedDict[bytes, Standing] = OrderedDict()

    def __len__(self) -> int:
        return len(self._standings)

    def standing(self, key: bytes, now: float) -> Standing | None:
        """Where a conversation stands; None if it is new or too long ago."""
        found = self._standings.get(key)
        if found is None or now - found.used_at <= KEPT_SECONDS:
            return found
        del self._standings[key]
        return None

    def remember(self, turn: Turn, target: Target, tier: Tier | None, warm_tokens: int, now: float) -> None:
        """A turn was served by this target, of this tier."""
        standings = self._standings
        standings[turn.key] = Standing(target, tier, turn.wanted, turn.is_settled, warm_tokens, now, turn.routing, turn.pin)
        standings.move_to_end(turn.key)
        if len(standings) > MOST_SESSIONS:
            standings.popitem(last=False)


def key_of(session: str, request: ChatRequest) -> bytes:
    """A hash that every turn of one conversation shares: of the session's name and of its first message of a user.

    Programs name a session and then use the name for what their helpers ask as well; those begin with other words.
    """
    seed = [session]
    for message in request.messages[:_MESSAGES_SEEN]:
        if message.role == "user":
            for part in message.parts[:_PARTS_SEEN]:
                if isinstance(part, TextPart):
                    text = part.text
                    seed += (str(len(text)), text[:_HEAD_CHARS], text[-_TAIL_CHARS:])
            break
    return hashlib.blake2b("\0".join(seed).encode("utf-8", "surrogatepass"), digest_size=16).digest()
