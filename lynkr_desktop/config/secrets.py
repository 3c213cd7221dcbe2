"""Keys and tokens: where they are kept and how they are wrapped. Never in a file of ours, a log, a repr or an error.

`SecretStore` is what others see. A store never raises for a keychain that is locked or missing: it answers with what it has,
keeps new values for this session, and says so in `state` and `detail`.
"""

import asyncio
import contextlib
import json
import queue
import secrets as random_source
import threading
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE: Final = "Lynkr Desktop"
USER: Final = "keys"
TOKEN_REF: Final = "lynkr:endpoint-token"  # noqa: S105  a name; no account id may hold a colon
ADMIN_REF: Final = "lynkr:administration-token"
DATABASE_REF: Final = "lynkr:database"  # the address of a shared ledger, with its password
WINDOWS_LIMIT: Final = 1280  # characters of one credential: 2,560 bytes of UTF-16
_ALLOWED: Final = frozenset(f"keyring.backends.{name}" for name in ("macOS", "Windows", "SecretService", "libsecret", "kwallet"))
_THIS_SESSION: Final = "Keys are kept until the program ends."


class Secret:
    """A value that shows itself only to those who ask by name."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value. Call it where the value is used, and keep the result in no field."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return random_source.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a secret cannot be pickled or copied")


class KeychainState(StrEnum):
    """How the keychain does."""

    UNKNOWN = "unknown"  # not asked yet
    READY = "ready"  # what was set is saved
    WAITING = "waiting"  # it was asked and has not answered; it may be showing its password window
    LOCKED = "locked"  # it is there and refuses; new values are kept for this session
    MISSING = "missing"  # there is none; values are kept for this session


class SecretStore(Protocol):
    """Where secrets are. `ref` is an account's id, or `TOKEN_REF`."""

    @property
    def state(self) -> KeychainState:
        """How the keychain behind it does. From any thread."""
        ...

    @property
    def detail(self) -> str:
        """What the user can do about the state; empty if all is well."""
        ...

    async def get(self, ref: str) -> Secret | None:
        """The secret; None if there is none or it cannot be reached (then `state` tells)."""
        ...

    async def set(self, ref: str, secret: Secret) -> None:
        """Use and keep a secret. Where it cannot be saved, it is kept for this session."""
        ...

    async def delete(self, ref: str) -> None:
        """Forget a secret. One that is not there is no error."""
        ...


async def endpoint_token(store: SecretStore) -> Secret:
    """The token that clients must show; made at the first start. Call it once per run.

    If the keychain is locked or missing, the token is good for this session only and nothing is written, so that a token
    which a locked keychain holds, and which clients already use, is not replaced behind its back.
    """
    known = await store.get(TOKEN_REF)
    if known is not None:
        return known
    token = Secret(f"lynkr-{random_source.token_urlsafe(32)}")
    if store.state is KeychainState.READY:
        await store.set(TOKEN_REF, token)
    return token


class SessionSecrets:
    """Secrets in memory, gone when the program ends."""

    def __init__(self, given: Mapping[str, Secret] | None = None) -> None:
        self._values = dict(given or {})

    @property
    def state(self) -> KeychainState:
        """Always missing: nothing lasts here."""
        return KeychainState.MISSING

    @property
    def detail(self) -> str:
        """Says that nothing lasts."""
        return f"No keychain is used. {_THIS_SESSION}"

    async def get(self, ref: str) -> Secret | None:
        """The secret, if there is one."""
        return self._values.get(ref)

    async def set(self, ref: str, secret: Secret) -> None:
        """Keep it for this session."""
        self._values[ref] = secret

    async def delete(self, ref: str) -> None:
        """Forget it."""
        self._values.pop(ref, None)


class EnvironmentSecrets:
    """Secrets from environment variables in front of another store. They win, and are never written to it."""

    def __init__(self, given: Mapping[str, Secret], behind: SecretStore) -> None:
        self._given = dict(given)
        self._behind = behind

    @property
    def state(self) -> KeychainState:
        """That of the store behind."""
        return self._behind.state

    @property
    def detail(self) -> str:
        """That of the store behind."""
        return self._behind.detail

    async def get(self, ref: str) -> Secret | None:
        """The environment's secret, else that of the store behind."""
        return self._given.get(ref) or await self._behind.get(ref)

    async def set(self, ref: str, secret: Secret) -> None:
        """Keep it behind. The environment's one still wins while the program runs."""
        await self._behind.set(ref, secret)

    async def delete(self, ref: str) -> None:
        """Forget it behind."""
        await self._behind.delete(ref)


class ToldSecrets:
    """A store that tells every secret that passes through it before anybody can use it, for whoever keeps them out of the log."""

    def __init__(self, behind: SecretStore, tell: Callable[[list[str]], None]) -> None:
        self._behind = behind
        self._tell = tell

    @property
    def state(self) -> KeychainState:
        """That of the store behind."""
        return self._behind.state

    @property
    def detail(self) -> str:
        """That of the store behind."""
        return self._behind.detail

    async def get(self, ref: str) -> Secret | None:
        """The secret of the store behind."""
        found = await self._behind.get(ref)
        if found is not None:
            self._tell([found.reveal()])
        return found

    async def set(self, ref: str, secret: Secret) -> None:
        """Keep it behind."""
        self._tell([secret.reveal()])
        await self._behind.set(ref, secret)

    async def delete(self, ref: str) -> None:
        """Forget it behind."""
        await self._behind.delete(ref)


def usable_backend() -> "KeyringBackend | None":
    """The system's keychain, or None. Everything that is not on the list is refused: some backends write plain text."""
    import keyring  # noqa: PLC0415  half a second, and only who has keys pays it

    found = keyring.get_keyring()
    candidates: list[Any] = list(getattr(found, "backends", None) or [found])
    for backend in candidates:
        if type(backend).__module__ in _ALLOWED:
            chosen: KeyringBackend = backend
            return chosen
    return None


class KeychainSecrets:
    """The system's keychain: one entry with all secrets, read once, held in memory.

    Every call of the keychain runs in one thread of its own, because a locked one blocks until its password window is answered.
    No coroutine here has a time limit; `state` says `waiting` meanwhile. `on_state` is called at each change, in that thread, and
    must not raise.
    """

    def __init__(
        self,
        on_state: Callable[[], None] = lambda: None,
        backend: "Callable[[], KeyringBackend | None]" = usable_backend,
        service: str = SERVICE,
    ) -> None:
        self._on_state = on_state
        self._entry = _Entry(backend, service)
        self._state = KeychainState.UNKNOWN
        self._detail = ""
        self._saved: dict[str, str] | None = None  # what the keychain holds; written by the keychain's thread only
        self._unsaved: dict[str, str | None] = {}  # newer values; None is deleted
        self._lock = threading.Lock()
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> KeychainState:
        """How the keychain does. From any thread."""
        return self._state

    @property
    def detail(self) -> str:
        """What the user can do about it; empty if all is well."""
        return self._detail

    async def get(self, ref: str) -> Secret | None:
        """The secret, or None. The first call reads the keychain; a refusal is not repeated by itself: see `retry`."""
        if ref not in self._unsaved and self._saved is None and self._state in {KeychainState.UNKNOWN, KeychainState.WAITING}:
            await self._run(self._read_once)
        with self._lock:
            value = self._unsaved[ref] if ref in self._unsaved else (self._saved or {}).get(ref)
        return None if value is None else Secret(value)

    async def set(self, ref: str, secret: Secret) -> None:
        """Use a secret from now on and save it if the keychain lets us."""
        with self._lock:
            self._unsaved[ref] = secret.reveal()
        await self._run(self._save)

    async def delete(self, ref: str) -> None:
        """Forget a secret, and take it out of the keychain if that lets us."""
        with self._lock:
            self._unsaved[ref] = None
        await self._run(self._save)

    async def retry(self) -> None:
        """Ask the keychain again, and save what could not be saved."""
        await self._run(self._save)

    async def _run(self, job: Callable[[], None]) -> None:
        """Do a job in the keychain's thread. If the waiter is cancelled, the job is done all the same."""
        loop = asyncio.get_running_loop()
        done = loop.create_future()

        def finish() -> None:
            if not done.done():
                done.set_result(None)

        def work() -> None:
            job()
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(finish)

        with self._lock:
            if self._thread is None:
                # A daemon: an unanswered password window must not keep the program from ending.
                self._thread = threading.Thread(target=self._work, name="keychain", daemon=True)
                self._thread.start()
        self._jobs.put(work)
        await done

    def _work(self) -> None:
        while True:
            self._jobs.get()()

    def _become(self, state: KeychainState, detail: str = "") -> None:
        if (state, detail) != (self._state, self._detail):
            self._state, self._detail = state, detail
            self._on_state()

    def _read_once(self) -> None:
        if self._saved is None and self._state is KeychainState.UNKNOWN:
            self._save()

    def _save(self) -> None:
        """Read the entry, merge what is newer, write it if that changed something. Runs in the keychain's thread."""
        self._become(KeychainState.WAITING, "Waiting for your keychain. It may be asking for its password.")
        try:
            saved = self._entry.read()
            with self._lock:
                changes = dict(self._unsaved)
            merged = {ref: value for ref, value in {**saved, **changes}.items() if value is not None}
            if merged != saved:
                self._entry.write(merged)
        except Exception as error:  # each keychain has errors of its own: D-Bus, Windows, macOS
            self._become(*_explain(error))
            return
        with self._lock:
            self._saved = merged
            for ref, value in changes.items():
                if self._unsaved.get(ref) == value:
                    del self._unsaved[ref]
        self._become(KeychainState.READY)


class _NoKeychainError(Exception):
    """No backend of the allowed list."""


class _ForeignEntryError(Exception):
    """Our entry does not hold what we wrote."""


def _explain(error: Exception) -> tuple[KeychainState, str]:
    """State and remedy. Only the error's name is used: its text could quote what was stored."""
    kind = type(error).__name__
    if isinstance(error, _NoKeychainError) or kind == "NoKeyringError":
        return (
            KeychainState.MISSING,
            f"This system offers no keychain. {_THIS_SESSION} Environment variables can give them each time.",
        )
    if isinstance(error, _ForeignEntryError):
        return KeychainState.LOCKED, (
            f"The entry {SERVICE!r} in your keychain is damaged. Delete it there and try again. {_THIS_SESSION}"
        )
    if kind in {"KeyringLocked", "InitError"}:
        return KeychainState.LOCKED, f"Your keychain is locked. Unlock it and try again. {_THIS_SESSION}"
    return KeychainState.LOCKED, f"Your keychain refused ({kind}). Open it and try again. {_THIS_SESSION}"


class _Entry:
    """The one entry. Where an entry is too small for all secrets, it lists numbered parts, each an entry of its own.

    New parts get the names that are not in use and the list is written last, so that a crash leaves the old or the new whole.
    """

    def __init__(self, backend: "Callable[[], KeyringBackend | None]", service: str) -> None:
        self._find = backend
        self._backend: KeyringBackend | None = None
        self._service = service

    def _keychain(self) -> "KeyringBackend":
        if self._backend is None:
            self._backend = self._find()
        if self._backend is None:
            raise _NoKeychainError
        return self._backend

    def read(self) -> dict[str, str]:
        """All secrets; empty if there is no entry yet."""
        keychain = self._keychain()
        head = _parse(keychain.get_password(self._service, USER) or "{}")
        if "parts" in head:
            texts = [keychain.get_password(part, USER) or "" for part in _texts(head["parts"])]
            head = _parse("".join(texts))
        values = head.get("keys", {})
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise _ForeignEntryError
        return dict(values)

    def write(self, values: Mapping[str, str]) -> None:
        """Replace all secrets."""
        keychain = self._keychain()
        old = _texts(_parse(keychain.get_password(self._service, USER) or "{}").get("parts", []))
        text = json.dumps({"keys": dict(values)})  # ASCII: one character is one unit of UTF-16
        parts: list[str] = []
        if _is_small(keychain) and len(text) > WINDOWS_LIMIT:
            side = "b" if any(part.endswith("a)") for part in old) else "a"
            pieces = [text[start : start + WINDOWS_LIMIT] for start in range(0, len(text), WINDOWS_LIMIT)]
            parts = [f"{self._service} ({number}{side})" for number in range(1, len(pieces) + 1)]
            for part, piece in zip(parts, pieces, strict=True):
                keychain.set_password(part, USER, piece)
            text = json.dumps({"parts": parts})
        keychain.set_password(self._service, USER, text)
        for part in set(old) - set(parts):
            with contextlib.suppress(Exception):  # the list no longer names it, so it does no harm
                keychain.delete_password(part, USER)


def _is_small(keychain: "KeyringBackend") -> bool:
    return type(keychain).__module__ == "keyring.backends.Windows"


def _parse(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise _ForeignEntryError from None
    if not isinstance(value, dict):
        raise _ForeignEntryError
    return value


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _ForeignEntryError
    return list(value)
