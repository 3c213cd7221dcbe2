"""What has to outlive a sudden end of the program: requests that were sent, and finished ones that the ledger does not hold yet.

A small file mapped into memory. To note something is a copy into pages that the system keeps, so it costs the request path no
call and no wait, and a kill takes nothing away; only a machine that goes down can. The next start gives the notes to the ledger,
which knows by its ids what it has already. One file for each running program, locked while that runs.

The file has two areas. Notes are appended to one; when it is full, those still needed go to the other, which then serves. They
may fill half of it: about a thousand exchanges. What is beyond that would not outlive a kill; `unkept` counts it.
"""

import contextlib
import logging
import mmap
import os
import struct
import sys
import threading
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from lynkr_desktop.engine.chat.events import Usage
from lynkr_desktop.engine.events import Attempt, Exchange, Sent
from lynkr_desktop.engine.metering import cost
from lynkr_desktop.engine.providers.models import facts_of

if sys.platform != "win32":
    import fcntl

INTERRUPTED: Final = "interrupted"
AREA_BYTES: Final = 2 << 20
_MAGIC: Final = b"LYNKRJN1"
_HEADER_BYTES: Final = 4096
_WHICH: Final = len(_MAGIC)  # where the header says which area serves
_FRAME: Final = struct.Struct("<II")  # length and checksum of a note
_END: Final = b"\0" * _FRAME.size
_SENT: Final = b"S"
_FINISHED: Final = b"F"
_ENCODER: Final = msgspec.msgpack.Encoder()
_EXCHANGE: Final = msgspec.msgpack.Decoder(Exchange)
_SENT_ONE: Final = msgspec.msgpack.Decoder(Sent)
_log: Final = logging.getLogger(__name__)


class Journal:
    """Notes of one running program. From any thread; after `close` it takes none. Noting never raises.

    Raises `OSError` if the file cannot be made.
    """

    def __init__(self, path: Path, area_bytes: int = AREA_BYTES) -> None:
        self.path = path
        self._area_bytes = area_bytes
        self._lock = threading.Lock()
        self._notes: dict[str, bytes] = {}  # by exchange, what is still needed
        self._needed_bytes = 0
        self._area = 0
        self._at = 0
        self.unkept = 0
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            locked(self._file)
            _fill(self._file, _HEADER_BYTES + 2 * area_bytes)
            self._map = mmap.mmap(self._file, _HEADER_BYTES + 2 * area_bytes)
        except (OSError, ValueError):
            os.close(self._file)
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        self._map[: len(_MAGIC)] = _MAGIC

    def sent(self, sent: Sent) -> None:
        """A request goes out."""
        self._note(sent.id, _SENT, sent)

    def finished(self, exchange: Exchange) -> None:
        """A request is over; its row is on its way to the ledger."""
        self._note(exchange.id, _FINISHED, exchange)

    def kept(self, ids: Iterable[str]) -> None:
        """The ledger holds these now."""
        with self._lock:
            for each in ids:
                self._needed_bytes -= len(self._notes.pop(each, b""))

    def close(self) -> None:
        """Take no more notes. The file goes, unless something in it is still needed."""
        with self._lock:
            if self._map.closed:
                return
            self._map.close()
            os.close(self._file)
            if not self._notes:
                with contextlib.suppress(OSError):
                    self.path.unlink()

    def _note(self, exchange_id: str, kind: bytes, value: Sent | Exchange) -> None:
        try:
            note = kind + _ENCODER.encode(value)
        except (ValueError, OverflowError):  # the ledger will not take it either, and says so
            return
        with self._lock:
            if self._map.closed:
                return
            needed = self._needed_bytes + len(note) - len(self._notes.get(exchange_id, b""))
            if needed * 2 > self._area_bytes:
                self.unkept += 1
                return
            self._notes[exchange_id], self._needed_bytes = note, needed
            if not self._append(note):
                self._turn()

    def _append(self, note: bytes) -> bool:
        """Write one note where the last one ended. The frame comes last: half a note is none."""
        size, at = len(note), self._at
        if at + _FRAME.size + size + _FRAME.size > self._area_bytes:
            return False
        start = _HEADER_BYTES + self._area * self._area_bytes + at
        body = start + _FRAME.size
        self._map[body : body + size + _FRAME.size] = note + _END
        self._map[start:body] = _FRAME.pack(size, zlib.crc32(note))
        self._at = at + _FRAME.size + size
        return True

    def _turn(self) -> None:
        """Go on in the other area with what is still needed. It serves once all of that is there."""
        self._area, self._at = 1 - self._area, 0
        start = _HEADER_BYTES + self._area * self._area_bytes
        self._map[start : start + _FRAME.size] = _END
        for note in self._notes.values():
            self._append(note)
        self._map[_WHICH] = self._area


def notes_in(path: Path) -> list[Exchange]:
    """The rows that a program which ended suddenly left behind, oldest first. Raises `OSError`.

    A request of which nothing but the sending is known was interrupted; what it cost is estimated from its input.
    """
    content = path.read_bytes()
    if not content.startswith(_MAGIC):
        return []
    area_bytes = (len(content) - _HEADER_BYTES) // 2
    at = _HEADER_BYTES + area_bytes * (content[_WHICH] & 1)
    end = at + area_bytes
    found: dict[str, Exchange] = {}
    while at + _FRAME.size <= end:
        size, checksum = _FRAME.unpack_from(content, at)
        note = content[at + _FRAME.size : at + _FRAME.size + size]
        if not size or zlib.crc32(note) != checksum:
            break
        at += _FRAME.size + size
        try:
            row = _EXCHANGE.decode(note[1:]) if note[:1] == _FINISHED else interrupted(_SENT_ONE.decode(note[1:]))
        except msgspec.DecodeError as error:  # of another version
            _log.warning("A note in %s cannot be read: %s", path, error)
            continue
        found[row.id] = row
    return [found[each] for each in sorted(found)]


def left_behind(folder: Path, pattern: str) -> list[Path]:
    """The files of this pattern whose program is gone."""
    return [path for path in sorted(folder.glob(pattern)) if _is_left(path)]


def interrupted(sent: Sent) -> Exchange:
    """The row of a request that was sent and whose end nobody saw: the program was ended in the middle."""
    price = cost(Usage(input_tokens=sent.input_tokens), facts_of(sent.provider, sent.model), is_partial=True)
    detail = "Lynkr was ended while this request was being served. What it cost is estimated from its input alone."
    tried = Attempt(sent.account, sent.model, sent.tier, 0.0, None, 0.0, None, INTERRUPTED, detail)
    return Exchange(
        id=sent.id,
        started_at_ms=sent.started_at_ms,
        client=sent.client,
        surface=sent.surface,
        session=sent.session,
        mode=sent.mode,
        requested_model=sent.requested_model,
        tier=sent.tier,
        score=sent.score,
        method=sent.method,
        reason=sent.reason,
        dimensions=(),
        account=sent.account,
        provider=sent.provider,
        model=sent.model,
        fidelity="",
        losses=(),
        input_tokens=sent.input_tokens,
        output_tokens=None,
        cache_read_tokens=None,
        cache_write_tokens=None,
        cost_usd=price.usd,
        cost_basis=price.basis,
        first_token_ms=None,
        total_ms=0.0,
        status=0,
        error=INTERRUPTED,
        error_detail=detail,
        is_streamed=sent.is_streamed,
        attempts=(tried,),
        project=sent.project,
    )


def _fill(file: int, size: int) -> None:
    """Give every page its place on the disk now: a page that has none later would end the program."""
    zeros = bytes(1 << 16)
    written = 0
    while written < size:
        written += os.write(file, zeros[: size - written])


def locked(file: int) -> None:
    """Mark a file as a running program's. Raises `OSError` if another one has it.

    The system frees it when the program ends, however it does. Windows needs none: a mapped file cannot be moved there.
    """
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_left(path: Path) -> bool:
    try:
        if sys.platform == "win32":
            path.rename(path.with_name(f"{path.name}.left")).rename(path)
            return True
        file = os.open(path, os.O_RDWR)
        try:
            locked(file)
        finally:
            os.close(file)
    except OSError:
        return False
    return True
