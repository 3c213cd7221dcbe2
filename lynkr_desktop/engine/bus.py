"""Tells listeners what happens, synchronously. A listener that fails is logged and never stops a request."""

import logging
from collections.abc import Callable
from typing import Final

from lynkr_desktop.engine.events import Event

_log: Final = logging.getLogger(__name__)
Listener = Callable[[Event], None]


class Bus:
    """Events go to each listener in the order of subscribing."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for each event. Returns the way to stop that."""
        self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            self._listeners = tuple(each for each in self._listeners if each is not listener)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Tell everybody."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                _log.exception("a listener failed on %s", type(event).__name__)
