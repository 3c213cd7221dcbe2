"""Secrets: what shows itself, what lasts, and what the user is told when nothing can last.

The keychain here is a class of the keyring library's own kind; the real one is in `tests/journeys/test_keychain.py`.
"""

import asyncio
import copy
import json
import logging
import pickle
import threading
from collections.abc import Callable

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import Windows, chainer, fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError

from lynkr_desktop.config import secrets
from lynkr_desktop.config.secrets import (
    TOKEN_REF,
    EnvironmentSecrets,
    KeychainSecrets,
    KeychainState,
    Secret,
    SecretStore,
    SessionSecrets,
    endpoint_token,
)

CANARY = "sk-canary-4711"


class Keychain(KeyringBackend):
    """An unlocked keychain in memory. `refusal` is raised by every call while it is set."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}
        self.refusal: Exception | None = None
        self.reads = 0
        self.threads: set[int] = set()
        self.longest = 1_000_000
        self.breaks_after = 1_000_000  # writes

    def _touch(self) -> None:
        self.threads.add(threading.get_ident())
        if self.refusal is not None:
            raise self.refusal

    def get_password(self, service: str, username: str) -> str | None:
        self._touch()
        self.reads += 1
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._touch()
        self.breaks_after -= 1
        if self.breaks_after < 0:
            raise OSError("the machine lost its power")
        if len(password) > self.longest:
            raise OSError(1783, f"The stub received bad data {password}")
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._touch()
        if (service, username) not in self.entries:
            raise PasswordDeleteError("not found")
        del self.entries[service, username]


class SmallKeychain(Keychain):
    """One that takes no more than Windows does."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 1280


SmallKeychain.__module__ = Windows.__name__


def state_of(store: SecretStore) -> KeychainState:
    return store.state


def store_on(keychain: Keychain, on_state: Callable[[], None] = lambda: None) -> KeychainSecrets:
    return KeychainSecrets(on_state, lambda: keychain)


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret(CANARY)
    shown = f"{secret} {secret!r} {[secret]} {secret!s:>5} %s" % secret
    assert CANARY not in shown
    assert "***" in shown
    assert secret.reveal() == CANARY


@pytest.mark.parametrize("leak", [pickle.dumps, copy.deepcopy, json.dumps, vars])
def test_a_secret_cannot_be_taken_along_by_accident(leak: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError):
        leak(Secret(CANARY))


def test_secrets_compare_by_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("ä")
    assert Secret("a") != "a"


async def test_a_key_is_there_again_after_a_restart() -> None:
    keychain = Keychain()
    await store_on(keychain).set("openai", Secret(CANARY))
    later = store_on(keychain)
    assert await later.get("openai") == Secret(CANARY)
    assert await later.get("other") is None
    assert (later.state, later.detail) == (KeychainState.READY, "")


async def test_all_keys_are_one_entry_read_once_in_one_thread() -> None:
    keychain = Keychain()
    first = store_on(keychain)
    for ref in ("a", "b", "c"):
        await first.set(ref, Secret(ref))
    assert len(keychain.entries) == 1
    assert len(keychain.threads) == 1
    assert threading.get_ident() not in keychain.threads
    later, keychain.reads = store_on(keychain), 0
    assert [await later.get(ref) for ref in ("a", "b", "c", "d")] == [Secret("a"), Secret("b"), Secret("c"), None]
    assert keychain.reads == 1


async def test_a_deleted_key_is_gone() -> None:
    keychain = Keychain()
    store = store_on(keychain)
    await store.set("openai", Secret(CANARY))
    await store.delete("openai")
    await store.delete("never-there")
    assert await store.get("openai") is None
    assert CANARY not in str(keychain.entries)


async def test_two_programs_do_not_lose_each_others_keys() -> None:
    keychain = Keychain()
    one, other = store_on(keychain), store_on(keychain)
    await one.get("a")
    await other.set("b", Secret("b"))
    await one.set("a", Secret("a"))
    later = store_on(keychain)
    assert [await later.get("a"), await later.get("b")] == [Secret("a"), Secret("b")]


async def test_a_locked_keychain_keeps_the_key_for_the_session_and_saves_it_once_it_can() -> None:
    keychain = Keychain()
    keychain.refusal = KeyringLocked(f"cannot unlock {CANARY}")
    store = store_on(keychain)
    assert await store.get("openai") is None
    await store.set("openai", Secret(CANARY))
    assert await store.get("openai") == Secret(CANARY)
    assert state_of(store) is KeychainState.LOCKED
    assert "Unlock it" in store.detail
    assert keychain.entries == {}
    keychain.refusal = None
    await store.retry()
    assert state_of(store) is KeychainState.READY
    assert await store_on(keychain).get("openai") == Secret(CANARY)


async def test_a_refusal_is_not_repeated_for_each_key() -> None:
    keychain = Keychain()
    keychain.refusal = KeyringLocked()
    changes: list[KeychainState] = []
    store = store_on(keychain, lambda: changes.append(store.state))
    for ref in ("a", "b", "c"):
        assert await store.get(ref) is None
    assert changes == [KeychainState.WAITING, KeychainState.LOCKED]


async def test_while_the_password_window_is_open_the_state_says_so_and_nothing_else_waits() -> None:
    answered = threading.Event()

    class Asking(Keychain):
        def get_password(self, service: str, username: str) -> str | None:
            assert answered.wait(30)
            return super().get_password(service, username)

    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell() -> None:
        loop.call_soon_threadsafe(asked.set)

    store = store_on(Asking(), tell)
    saving = asyncio.create_task(store.set("openai", Secret(CANARY)))
    await asked.wait()
    assert state_of(store) is KeychainState.WAITING
    assert await store.get("openai") == Secret(CANARY)  # what was just entered is usable at once
    abandoned = asyncio.create_task(store.get("other"))
    await asyncio.sleep(0)
    abandoned.cancel()
    answered.set()
    await saving
    assert state_of(store) is KeychainState.READY


@pytest.mark.parametrize("error", [OSError(1783, CANARY), RuntimeError(CANARY), KeyringLocked(CANARY)])
async def test_no_failure_of_the_keychain_tells_the_key(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    keychain = Keychain()
    keychain.refusal = error
    store = store_on(keychain)
    await store.set("openai", Secret(CANARY))
    assert state_of(store) is KeychainState.LOCKED
    assert CANARY not in store.detail + repr(store) + caplog.text
    assert store.detail


@pytest.mark.parametrize("content", ["not json", "[1]", '{"keys": {"a": 1}}', '{"parts": ["gone"]}', '{"parts": 7}'])
async def test_a_damaged_entry_is_never_overwritten(content: str) -> None:
    keychain = Keychain()
    keychain.entries[secrets.SERVICE, secrets.USER] = content
    store = store_on(keychain)
    await store.set("openai", Secret(CANARY))
    assert state_of(store) is KeychainState.LOCKED
    assert "damaged" in store.detail
    assert keychain.entries == {(secrets.SERVICE, secrets.USER): content}


async def test_many_long_keys_fit_into_the_small_entries_of_windows() -> None:
    keychain = SmallKeychain()
    store = store_on(keychain)
    values = {f"account-{number}": Secret(f"ключ-{number}-" + "x" * 900) for number in range(5)}
    for ref, value in values.items():
        await store.set(ref, value)
    assert state_of(store) is KeychainState.READY
    later = store_on(keychain)
    assert {ref: await later.get(ref) for ref in values} == values
    for ref in values:
        await later.delete(ref)
    assert len(keychain.entries) == 1


async def test_a_crash_in_the_middle_of_a_long_write_leaves_the_old_keys() -> None:
    for step in range(4):
        keychain = SmallKeychain()
        await store_on(keychain).set("old", Secret("o" * 3000))
        keychain.breaks_after = step
        await store_on(keychain).set("new", Secret("n" * 3000))
        keychain.breaks_after = 1000
        assert await store_on(keychain).get("old") == Secret("o" * 3000)


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring])
async def test_no_keychain_means_this_session_only_and_says_so(
    backend: Callable[[], KeyringBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyring.get_keyring", backend)
    store = KeychainSecrets()
    await store.set("openai", Secret(CANARY))
    assert state_of(store) is KeychainState.MISSING
    assert "until the program ends" in store.detail
    assert await store.get("openai") == Secret(CANARY)


def test_a_backend_that_is_not_on_the_list_is_refused_and_a_chain_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some backends that a user may have installed write plain text without a word."""
    good = SmallKeychain()
    monkeypatch.setattr("keyring.get_keyring", Keychain)
    assert secrets.usable_backend() is None
    chain = chainer.ChainerBackend()  # type: ignore[no-untyped-call]
    monkeypatch.setattr(chainer.ChainerBackend, "backends", [Keychain(), good])
    monkeypatch.setattr("keyring.get_keyring", lambda: chain)
    assert secrets.usable_backend() is good


async def test_the_token_is_made_once_and_stays() -> None:
    keychain = Keychain()
    token = await endpoint_token(store_on(keychain))
    assert token.reveal().startswith("lynkr-")
    assert len(token.reveal()) >= 40
    assert await endpoint_token(store_on(keychain)) == token


async def test_a_locked_keychain_does_not_cost_the_lasting_token() -> None:
    keychain = Keychain()
    lasting = await endpoint_token(store_on(keychain))
    keychain.refusal = KeyringLocked()
    store = store_on(keychain)
    passing = await endpoint_token(store)
    assert passing != lasting
    keychain.refusal = None
    await store.retry()
    assert await endpoint_token(store_on(keychain)) == lasting


async def test_the_environment_wins_and_is_never_saved() -> None:
    keychain = Keychain()
    behind = store_on(keychain)
    await behind.set("openai", Secret("kept"))
    store = EnvironmentSecrets({"openai": Secret(CANARY), TOKEN_REF: Secret("lynkr-fixed")}, behind)
    assert await store.get("openai") == Secret(CANARY)
    assert await endpoint_token(store) == Secret("lynkr-fixed")
    await store.set("other", Secret("new"))
    assert await behind.get("other") == Secret("new")
    await store.delete("openai")
    assert await behind.get("openai") is None
    assert CANARY not in str(keychain.entries)
    assert state_of(store) is KeychainState.READY


async def test_session_secrets_say_that_nothing_lasts() -> None:
    store = SessionSecrets()
    await store.set("a", Secret("a"))
    assert await store.get("a") == Secret("a")
    assert state_of(store) is KeychainState.MISSING
    await store.delete("a")
    assert await store.get("a") is None
