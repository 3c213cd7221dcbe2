"""Tells listeners what happens, synchronously. A listener that fails is logged and never stops a request."""

import logging
from collections.abc import Callable
from typing import Final, get_args

from lynkr_desktop.engine.events import Event

_log: Final = logging.getLogger(__name__)
Listener = Callable[[Event], None]
KINDS: Final[tuple[type[Event], ...]] = get_args(Event)


class Bus:
    """Events go to each listener in the order of subscribing."""

    def __init__(self) -> None:
        self._listeners: dict[type[Event], tuple[Listener, ...]] = dict.fromkeys(KINDS, ())

    def subscribe(self, listener: Listener, *kinds: type[Event]) -> Callable[[], None]:
        """Call `listener` for each event of these kinds, or of any if none is named. Returns the way to stop that."""
        for kind in kinds or KINDS:
            self._listeners[kind] = (*self._listeners[kind], listener)

        def unsubscribe() -> None:
            for kind in kinds or KINDS:
                self._listeners[kind] = tuple(each for each in self._listeners[kind] if each is not listener)

        return unsubscribe

    def is_heard(self, kind: type[Event]) -> bool:
        """Does anybody listen for this kind? Else nobody need put it together."""
        return bool(self._listeners[kind])

    def publish(self, event: Event) -> None:
        """Tell everybody who listens for its kind."""
        for listener in self._listeners[type(event)]:
            try:
                listener(event)
            except Exception:
                _log.exception("a listener failed on %s", type(event).__name__)
