"""The tray's other side over D-Bus: a host that items register with, and a hand that reads and presses an item's menu.

Own small StatusNotifierWatcher and Notifications server, so that journeys need no panel and no pixels. By hand, on a desktop that
has a panel: `python -m tests.rig.sni menu` and `python -m tests.rig.sni press LABEL…`.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from jeepney import (  # type: ignore[import-untyped]
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    Properties,
    message_bus,
    new_error,
    new_method_call,
    new_method_return,
    new_signal,
)
from jeepney.io.blocking import DBusConnection, open_dbus_connection  # type: ignore[import-untyped]

_WATCHER_NAME: Final = "org.kde.StatusNotifierWatcher"
_WATCHER: Final = DBusAddress("/StatusNotifierWatcher", _WATCHER_NAME, _WATCHER_NAME)
_NOTIFICATIONS: Final = "org.freedesktop.Notifications"
_DO_NOT_QUEUE: Final = 4
_OWNER_REPLIES: Final = (1, 4)  # became owner, was owner


@dataclass(frozen=True, slots=True)
class Note:
    """A notification that a program showed."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a menu. `is_checked` is None where it cannot be checked."""

    id: int
    label: str
    is_enabled: bool
    is_checked: bool | None
    is_separator: bool
    children: tuple["Row", ...] = ()

    def walk(self) -> Iterator["Row"]:
        """This line and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(slots=True)
class TrayHost:
    """A tray host and notification server for one bus, in a thread, as long as the `with`."""

    bus: str
    items: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _is_ready: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve, name="tray host", daemon=True)
        self._thread.start()
        assert self._is_ready.wait(10), "The tray host did not start."
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join(10)

    @contextlib.contextmanager
    def last_item(self) -> Iterator["TrayItem"]:
        """The icon that registered last."""
        with open_dbus_connection(bus=self.bus) as connection:
            yield TrayItem(connection, self.items[-1])

    def _serve(self) -> None:
        with open_dbus_connection(bus=self.bus) as connection:
            # The watcher's name last: what comes while a reply is awaited is lost, and icons register at once.
            for name in (_NOTIFICATIONS, _WATCHER_NAME):
                reply = connection.send_and_get_reply(message_bus.RequestName(name, _DO_NOT_QUEUE))
                assert reply.body[0] in _OWNER_REPLIES, f"{name} is taken"
            connection.send(new_signal(_WATCHER, "StatusNotifierHostRegistered"))
            self._is_ready.set()
            while not self._stop.is_set():
                try:
                    message = connection.receive(timeout=0.1)
                except TimeoutError:
                    continue
                if message.header.message_type == MessageType.method_call:
                    for answer in self._answer(message):
                        connection.send(answer)

    def _answer(self, message: Message) -> Iterator[Message]:
        fields = message.header.fields
        match fields[HeaderFields.member]:
            case "RegisterStatusNotifierItem":
                name, sender = message.body[0], fields[HeaderFields.sender]
                self.items.append(sender + name if name.startswith("/") else f"{name}/StatusNotifierItem")
                yield new_method_return(message)
                yield new_signal(_WATCHER, "StatusNotifierItemRegistered", "s", (self.items[-1],))
            case "Get":
                yield self._property(message)
            case "RegisterStatusNotifierHost":
                yield new_method_return(message)
            case "GetCapabilities":
                yield new_method_return(message, "as", (["body"],))
            case "GetServerInformation":
                yield new_method_return(message, "ssss", ("rig", "rig", "1", "1.2"))
            case "Notify":
                self.notes.append(Note(message.body[3], message.body[4]))
                yield new_method_return(message, "u", (len(self.notes),))
            case _:
                yield new_error(message, "org.freedesktop.DBus.Error.UnknownMethod")

    def _property(self, message: Message) -> Message:
        values: dict[str, tuple[str, object]] = {
            "IsStatusNotifierHostRegistered": ("b", True),
            "ProtocolVersion": ("i", 0),
            "RegisteredStatusNotifierItems": ("as", self.items),
        }
        if value := values.get(message.body[1]):
            return new_method_return(message, "v", (value,))
        return new_error(message, "org.freedesktop.DBus.Error.UnknownProperty")


class TrayItem:
    """An icon in the tray, as its host sees it."""

    def __init__(self, connection: DBusConnection, name: str) -> None:
        self._connection = connection
        service, _, path = name.partition("/")
        self._item = DBusAddress(f"/{path or 'StatusNotifierItem'}", service, "org.kde.StatusNotifierItem")
        self._menu = DBusAddress(self._read("Menu"), service, "com.canonical.dbusmenu")

    @property
    def tooltip(self) -> str:
        """What hovering shows."""
        return str(self._read("ToolTip")[2])

    @property
    def picture(self) -> bytes:
        """The icon's largest pixels."""
        return max((bytes(pixels) for _, _, pixels in self._read("IconPixmap")), key=len)

    def menu(self) -> tuple[Row, ...]:
        """The menu's top lines, with what is below them."""
        self._call(self._menu, "AboutToShow", "i", (0,))
        _, root = self._call(self._menu, "GetLayout", "iias", (0, -1, []))
        return _row(root).children

    def press(self, *labels: str) -> None:
        """Press a line, by its label and those above it; each needs only to begin so."""
        rows: Sequence[Row] = self.menu()
        for depth, label in enumerate(labels):
            row = next((row for row in rows if row.label.startswith(label)), None)
            assert row is not None, f"No line {label!r} among {[row.label for row in rows]}"
            if depth == len(labels) - 1:
                self._call(self._menu, "Event", "isvu", (row.id, "clicked", ("s", ""), 0))
            rows = row.children

    def activate(self) -> None:
        """A left click."""
        self._call(self._item, "Activate", "ii", (0, 0))

    def _read(self, name: str) -> Any:
        return self._connection.send_and_get_reply(Properties(self._item).get(name), timeout=5).body[0][1]

    def _call(self, address: DBusAddress, method: str, signature: str, body: tuple[object, ...]) -> Any:
        reply = self._connection.send_and_get_reply(new_method_call(address, method, signature, body), timeout=5)
        assert reply.header.message_type == MessageType.method_return, f"{method}: {reply.body}"
        return reply.body


def _row(node: Any) -> Row:
    number, properties, children = node
    values = {name: value for name, (_, value) in properties.items()}
    return Row(
        id=number,
        label=values.get("label", "").replace("__", "\0").replace("_", "").replace("\0", "_"),
        is_enabled=values.get("enabled", True),
        is_checked=bool(values["toggle-state"]) if values.get("toggle-type") else None,
        is_separator=values.get("type") == "separator",
        children=tuple(_row(child) for _, child in children),
    )


def main() -> None:
    """Read or press the first item of the desktop that this runs on."""
    with open_dbus_connection(bus=os.environ["DBUS_SESSION_BUS_ADDRESS"]) as connection:
        names = connection.send_and_get_reply(Properties(_WATCHER).get("RegisteredStatusNotifierItems"), timeout=5).body[0][1]
        item = TrayItem(connection, names[0])
        if sys.argv[1] == "press":
            item.press(*sys.argv[2:])
        for top in item.menu():
            for row in top.walk():
                sys.stdout.write(
                    f"{'x' if row.is_checked else ' '} {row.label or '---'}{'' if row.is_enabled else '  (disabled)'}\n"
                )


if __name__ == "__main__":
    main()
