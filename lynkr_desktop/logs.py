"""The program's log: a rotating file and the standard error stream, as text or as one JSON object a line. One redactor stands
before both, and before what is written past them: notices, and the tracebacks of crashes.
"""

import datetime
import json
import logging
import logging.handlers
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_MAX_BYTES: Final = 2 * 1024 * 1024
_FILES: Final = 3
_SECRET_FIELDS: Final = frozenset({"private_key", "client_secret", "clientSecret", "refresh_token"})
_SHAPES: Final = re.compile(r"(?i)\b(bearer\s+|sk-|lynkr-|key=)[A-Za-z0-9_\-.]{12,}")


class Redactor(logging.Formatter):
    """Formats a record and masks what is, or looks like, a secret: in the message and in tracebacks."""

    def __init__(self) -> None:
        super().__init__(_FORMAT)
        self.is_json = False
        self._known: set[str] = set()

    def learn(self, secrets: Iterable[str]) -> None:
        """Mask these values wherever they appear."""
        self._known |= {form for secret in secrets for form in _forms_of(secret) if len(form) >= 8}

    def format(self, record: logging.LogRecord) -> str:
        """The line to write."""
        if not self.is_json:
            return self.masked(super().format(record))
        row = {
            "time": datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            row["error"] = self.formatException(record.exc_info)
        # Masked before it becomes JSON, where a secret with a quotation mark would be spelt in another way.
        return json.dumps({name: self.masked(words) for name, words in row.items()}, ensure_ascii=False)

    def masked(self, text: str) -> str:
        """A text without what is, or looks like, a secret: for all that is written past the log."""
        for secret in sorted(self._known, key=len, reverse=True):  # one may be the beginning of another
            text = text.replace(secret, "***")
        return _SHAPES.sub(lambda found: f"{found[1]}***", text)


def _forms_of(secret: str) -> Iterator[str]:
    """A secret as it is and as `repr` and JSON spell it; of a file of keys also what is secret in it, line by line."""
    yield from (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1])
    if secret.lstrip().startswith("{"):
        try:
            told = json.loads(secret)
        except (ValueError, RecursionError):
            return
        for name in _SECRET_FIELDS & told.keys():
            if isinstance(told[name], str):
                yield from (told[name], *(line for line in told[name].splitlines() if "PRIVATE KEY-----" not in line))


REDACTOR: Final = Redactor()


def catch_crashes() -> None:
    """Send what would end the program, a thread or a destructor through the log too: such tracebacks quote values."""
    sys.excepthook = _tell_crash
    threading.excepthook = lambda crash: _tell_crash(crash.exc_type, crash.exc_value, crash.exc_traceback)
    sys.unraisablehook = lambda crash: _tell_crash(crash.exc_type, crash.exc_value, crash.exc_traceback)


def _tell_crash(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt | SystemExit):
        logging.getLogger(__name__).critical("a bug of ours", exc_info=(kind, error or kind(), trace))


def configure(folder: Path | None, level: str, *, is_json: bool = False) -> None:
    """Write the log from now on. A folder that cannot be written is said on the standard error stream and does without a file."""
    REDACTOR.is_json = is_json
    root = logging.getLogger()
    is_known = level in logging.getLevelNamesMapping()
    root.setLevel(level if is_known else logging.WARNING)
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(REDACTOR)
    root.handlers = [stream]
    if not is_known:
        root.warning("LOG_LEVEL %.20s is not known; use debug, info, warning or error", level)
    if folder is None:
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = logging.handlers.RotatingFileHandler(
            folder / "lynkr-desktop.log", maxBytes=_MAX_BYTES, backupCount=_FILES, encoding="utf-8", delay=True
        )
    except OSError as error:
        root.warning("no log file in %s: %s", folder, error.strerror)
        return
    file.setFormatter(REDACTOR)
    root.addHandler(file)
