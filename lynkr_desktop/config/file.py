"""The settings file: read it with plain errors, save it whole or not at all. Holds no secret and decides nothing.

The user's bytes are never lost: a file that cannot be used is first copied aside, a newer one is only read.
"""

import contextlib
import errno
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import msgspec

from lynkr_desktop.config import migrations
from lynkr_desktop.config.settings import VERSION, Settings, validate
from lynkr_desktop.errors import ConfigError

_PLACE: Final = re.compile(r"(?P<problem>.*?) - at `\$\.?(?P<field>.*)`", re.DOTALL)
_KINDS: Final = (  # msgspec's words and JSON's
    ("`str`", "text"),
    ("`int`", "a whole number"),
    ("`float`", "a number"),
    ("`bool`", "true or false"),
    ("`null`", "null"),
    ("`array`", "a list"),
    ("`object`", "an object"),
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a settings file gave. `notice` is for the user, empty if all is well; a read-only file must not be saved over."""

    settings: Settings
    is_read_only: bool = False
    notice: str = ""


def load(path: Path) -> Loaded:
    """Read the settings. Never raises: what cannot be read is named in the notice, and defaults stand in."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Loaded(Settings())
    except OSError as error:
        reason = error.strerror or str(error)
        notice = f"The settings in {path} cannot be read: {reason}. Defaults are used and nothing will be saved."
        return Loaded(Settings(), is_read_only=True, notice=notice)
    try:
        raw = _object(content)
        if migrations.version_of(raw) > VERSION:
            return _newer(path, raw)
        raw = migrations.migrate(raw)
        settings = convert(raw)
    except ConfigError as error:
        where = f" ({error.field})" if error.field else ""
        return _kept_aside(path, content, Settings(), f"{error.title}{where} {error.detail} Defaults are used.")
    unknown = unknown_keys(raw, msgspec.to_builtins(settings))
    if unknown:
        return _kept_aside(path, content, settings, f"These settings are not known and are ignored: {', '.join(unknown)}.")
    return Loaded(settings)


def check(path: Path) -> None:
    """Raise `ConfigError` if the file is there and cannot be used. For whoever already runs with settings that can."""
    try:
        raw = _object(path.read_bytes())
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"The settings in {path} cannot be read.", f"{error.strerror or error}.") from error
    if migrations.version_of(raw) <= VERSION:
        convert(migrations.migrate(raw))


def convert(raw: dict[str, Any]) -> Settings:
    """Settings from plain JSON of today's version. Raises `ConfigError` that names the field."""
    try:
        return validate(msgspec.convert(raw, Settings, strict=True))
    except msgspec.ValidationError as error:
        found = _PLACE.fullmatch(str(error))
        problem, field = (found["problem"], found["field"]) if found else (str(error), "")
        for theirs, ours in _KINDS:
            problem = problem.replace(theirs, ours)
        raise ConfigError("A setting has the wrong form.", f"{problem}.", field=field) from None


def unknown_keys(raw: Any, known: Any, path: str = "") -> list[str]:
    """Dotted paths of the keys in `raw` that `known` does not have."""
    if isinstance(raw, dict) and isinstance(known, dict):
        found: list[str] = []
        for key, value in raw.items():
            where = f"{path}.{key}" if path else key
            found += unknown_keys(value, known[key], where) if key in known else [where]
        return found
    if isinstance(raw, list) and isinstance(known, list | tuple):
        pairs = enumerate(zip(raw, known, strict=False))
        return [key for index, (ours, theirs) in pairs for key in unknown_keys(ours, theirs, f"{path}[{index}]")]
    return []


def _object(content: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigError("The settings file is not valid JSON.", f"{error.msg} in {place}.") from None
    except UnicodeDecodeError as error:
        raise ConfigError("The settings file is not valid UTF-8.", f"Byte {error.start} cannot be read.") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError("The settings file is not valid JSON.", f"{error}.") from None
    if not isinstance(raw, dict):
        raise ConfigError("The settings file does not hold a JSON object.", "It must begin with {.")
    return raw


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def _newer(path: Path, raw: dict[str, Any]) -> Loaded:
    begin = f"The settings in {path} come from a newer Lynkr Desktop (version {migrations.version_of(raw)} of the file)."
    try:
        return Loaded(convert(raw), is_read_only=True, notice=f"{begin} What this one knows is used; nothing will be saved.")
    except ConfigError:
        return Loaded(Settings(), is_read_only=True, notice=f"{begin} Defaults are used; nothing will be saved.")


def _kept_aside(path: Path, content: bytes, settings: Settings, problem: str) -> Loaded:
    """Copy the file's bytes aside, so that the next save cannot lose them. Where no copy is possible, save nothing."""
    try:
        aside = _copy_aside(path, content)
    except OSError as error:
        reason = error.strerror or str(error)
        notice = f"{path}: {problem} A copy cannot be kept aside ({reason}), so nothing will be saved."
        return Loaded(settings, is_read_only=True, notice=notice)
    return Loaded(settings, notice=f"{path}: {problem} The file as it was is kept as {aside.name}.")


def _copy_aside(path: Path, content: bytes) -> Path:
    number = 1
    while True:
        aside = path.with_name(f"{path.stem}.broken-{number}{path.suffix}")
        try:
            if aside.read_bytes() == content:  # the same file was met at an earlier start
                return aside
        except FileNotFoundError:
            _write_new(aside, content)
            _sync_folder(aside.parent)
            return aside
        number += 1


def save(path: Path, settings: Settings) -> None:
    """Save atomically, readable by this user only. Raises `ConfigError`; the old file is then untouched.

    A symbolic link stays one: the file that it names is replaced.
    """
    validate(settings)
    target = Path(os.path.realpath(path))
    content = json.dumps(msgspec.to_builtins(settings), indent=2, ensure_ascii=False).encode() + b"\n"
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        _refuse_newer(target)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        try:
            _write_new(temporary, content)
            temporary.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
    except OSError as error:
        raise ConfigError("The settings could not be saved.", f"{target}: {_remedy(error)}") from error


def _refuse_newer(target: Path) -> None:
    """A newer program may have saved while this one ran."""
    try:
        version = migrations.version_of(_object(target.read_bytes()))
    except (FileNotFoundError, ConfigError):
        return
    if version > VERSION:
        raise ConfigError(
            "The settings could not be saved.",
            f"{target} comes from a newer Lynkr Desktop. Use that one, or move the file away.",
            field="version",
        )


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that must not exist yet. The mode is set before the first byte is in it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut. Windows cannot open folders and needs no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remedy(error: OSError) -> str:
    reason = error.strerror or str(error)
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return f"{reason}. Free some space and save again; the earlier settings are untouched."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"{reason}. Make the folder writable and save again; the earlier settings are untouched."
    return f"{reason}. The earlier settings are untouched."
