"""The Providers page over the real engine and scripted vendors: nothing is saved before it was tested, no key is shown."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from lynkr_desktop.config.settings import Account, AccountKey, ModeKind, Routing, Settings, Target, TierTargets
from lynkr_desktop.engine.api import LocalServer
from lynkr_desktop.engine.providers.catalogue import PROVIDERS
from lynkr_desktop.ui import text_setup
from lynkr_desktop.ui.pages.account_edits import free_id, without_account
from lynkr_desktop.ui.pages.providers import ProvidersPage
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.label import Label
from tests.fakes.caller import Caller
from tests.fakes.dialects import CHAT
from tests.fakes.script import say
from tests.fakes.upstream import OPENAI, Upstream
from tests.ui.engine_room import TOKEN, EngineRoom, opened

LAB = "openai"


@pytest.fixture
def local_server() -> Iterator[Upstream]:
    """A model server that wants no key."""
    server = Upstream(OPENAI, "").start()
    yield server
    server.stop()


@pytest.fixture
def empty_room(qapp: QApplication, tmp_path: Path) -> Iterator[EngineRoom]:
    with opened(qapp, tmp_path, Settings()) as room:
        yield room


@pytest.fixture
def room(qapp: QApplication, tmp_path: Path, openai_upstream: Upstream) -> Iterator[EngineRoom]:
    account = Account(LAB, "openai", base_url=openai_upstream.url, model="gpt-5-mini", keys=(AccountKey(openai_upstream.url),))
    target = Target(LAB, "gpt-5-mini")
    settings = Settings(accounts=(account,), routing=Routing(tiers=TierTargets(simple=(target,)), direct=target))
    with opened(qapp, tmp_path, settings, {LAB: openai_upstream.key}) as room:
        yield room


def shown(room: EngineRoom, theme: Theme, qtbot: QtBot) -> ProvidersPage:
    page = ProvidersPage(theme, room.bridge)
    qtbot.addWidget(page)
    page.resize(1100, 760)
    room.do(page.show)
    return page


def words(page: ProvidersPage) -> str:
    """Everything that can be read on the page, typed text too."""
    labels = [label.text() for label in page.findChildren(Label) if label.isVisible()]
    return "\n".join(labels + [f"{line.displayText()} {line.placeholderText()}" for line in page.findChildren(QLineEdit)])


def press(room: EngineRoom, page: ProvidersPage, button: str) -> None:
    found = [each for each in page.findChildren(QPushButton) if each.text() == button and each.isVisible()]
    assert found, f"there is no button {button}"
    assert found[0].isEnabled(), f"{button} cannot be pressed"
    room.do(found[0].click)


def fill(room: EngineRoom, page: ProvidersPage, upstream: Upstream, key: str) -> None:
    room.do(lambda: page.form.provider._pick("openai"))
    room.do(lambda: page.form.address.setText(f" {upstream.url}/ "))
    room.do(lambda: page.form.key.setText(key))
    room.do(lambda: page.form.model.setText("gpt-5-mini"))


def test_wrong_key_is_not_saved_and_the_providers_own_words_are_shown(
    empty_room: EngineRoom, theme: Theme, qtbot: QtBot, openai_upstream: Upstream
) -> None:
    openai_upstream.expects_complaints = True
    room, page = empty_room, shown(empty_room, theme, qtbot)
    press(room, page, text_setup.ADD_PROVIDER)
    fill(room, page, openai_upstream, "wrong-key-0123456789")
    press(room, page, text_setup.TEST_AND_SAVE)
    room.until(lambda: "Incorrect API key provided" in words(page), "the provider's error")
    assert room.saved == []
    assert room.bridge.settings.accounts == ()
    assert "wrong-key" not in words(page)
    room.do(lambda: QTest.keyClicks(page.form.key, "x"))
    assert "Incorrect API key" not in words(page), "the result was of another key"


def test_tested_key_is_cleaned_and_kept_in_the_keychain_only(
    empty_room: EngineRoom, theme: Theme, qtbot: QtBot, openai_upstream: Upstream
) -> None:
    openai_upstream.play(say("Hello from the model"))
    room, page = empty_room, shown(empty_room, theme, qtbot)
    press(room, page, text_setup.ADD_PROVIDER)
    assert page.form.key.echoMode() is QLineEdit.EchoMode.Password
    fill(room, page, openai_upstream, f"  {openai_upstream.key}\n")
    press(room, page, text_setup.TEST_AND_SAVE)
    room.until(lambda: LAB in page.cards and page.cards[LAB].result.isVisible(), "the card with the answer")
    assert "“Hello from the model”" in page.cards[LAB].result.text()
    account = room.saved[-1].accounts[0]
    assert (account.id, account.base_url, account.keys[0].origin) == (LAB, openai_upstream.url, openai_upstream.url)
    kept = room.run(room.secrets.get(LAB))
    assert kept is not None
    assert kept.reveal() == openai_upstream.key
    assert openai_upstream.key not in repr(room.saved) + words(page)
    assert f"ends …{openai_upstream.key[-4:]}" in words(page)
    assert room.bridge.settings.routing.direct == Target(LAB, "gpt-5-mini"), "the first provider must serve at once"


def test_key_is_asked_for_before_anything_is_sent(
    empty_room: EngineRoom, theme: Theme, qtbot: QtBot, openai_upstream: Upstream
) -> None:
    room, page = empty_room, shown(empty_room, theme, qtbot)
    press(room, page, text_setup.ADD_PROVIDER)
    fill(room, page, openai_upstream, "")
    press(room, page, text_setup.TEST_AND_SAVE)
    assert text_setup.NO_KEY_TYPED in words(page)
    assert openai_upstream.chats == []


@pytest.mark.parametrize("address", ["", "https://", "ftp://host"])
def test_address_that_is_none_is_told_at_its_place(empty_room: EngineRoom, theme: Theme, qtbot: QtBot, address: str) -> None:
    room, page = empty_room, shown(empty_room, theme, qtbot)
    press(room, page, text_setup.ADD_PROVIDER)
    room.do(lambda: page.form.provider._pick("openai-compatible"))
    room.do(lambda: page.form.address.setText(address))
    press(room, page, text_setup.TEST_AND_SAVE)
    assert page.form._address_hint.isVisible()
    assert page.form._address_hint.text()
    assert room.saved == []


def test_models_are_offered_to_pick_from(empty_room: EngineRoom, theme: Theme, qtbot: QtBot, openai_upstream: Upstream) -> None:
    room, page = empty_room, shown(empty_room, theme, qtbot)
    press(room, page, text_setup.ADD_PROVIDER)
    fill(room, page, openai_upstream, openai_upstream.key)
    room.do(page.form.key.editingFinished.emit)
    listed = room.run(room.bridge.candidate_models(page.form.account(), openai_upstream.key))
    room.until(lambda: page.form.model.names == [model.id for model in listed], "the models")
    assert len(listed) >= 1


def test_other_address_asks_for_the_key_again(
    room: EngineRoom, theme: Theme, qtbot: QtBot, local_server: Upstream, openai_upstream: Upstream
) -> None:
    page = shown(room, theme, qtbot)
    press(room, page, text_setup.EDIT)
    assert f"kept · ends …{openai_upstream.key[-4:]}" in words(page)
    room.do(lambda: page.form.address.setText(local_server.url))
    room.do(page.form._edited)
    assert text_setup.KEY_DROPPED in words(page)
    press(room, page, text_setup.TEST_AND_SAVE)
    assert text_setup.NO_KEY_TYPED in words(page)
    assert all("authorization" not in one.headers for one in local_server.received)
    room.do(lambda: page.form.key.setText("another-key-of-that-place"))
    room.do(page.form.save_anyway.clicked.emit)
    room.until(lambda: room.saved, "saving")
    assert room.saved[-1].accounts[0].keys[0].origin == local_server.url


# --- several keys ---

OTHER_KEY = "another-key-of-the-same-place"


def add_second_key(room: EngineRoom, page: ProvidersPage, key: str) -> None:
    press(room, page, text_setup.EDIT)
    press(room, page, text_setup.ADD_KEY)
    room.do(lambda: page.form.keys.rows[1].field.setText(key))


def has_keys(room: EngineRoom, *refs: str) -> bool:
    return room.bridge.settings.accounts[0].refs == refs


def test_a_second_key_is_tested_kept_and_serves_when_the_first_is_refused(
    room: EngineRoom, theme: Theme, qtbot: QtBot, openai_upstream: Upstream
) -> None:
    page = shown(room, theme, qtbot)
    openai_upstream.expects_complaints = True
    add_second_key(room, page, "wrong-key-0123456789")
    press(room, page, text_setup.TEST_AND_SAVE)
    room.until(
        lambda: "Key 2: " in words(page) and "Incorrect API key provided" in words(page), "the refusal with the key's name"
    )
    assert room.saved == []
    openai_upstream.key = ""
    room.do(lambda: page.form.keys.rows[1].field.setText(f" {OTHER_KEY}\n"))
    press(room, page, text_setup.TEST_AND_SAVE)
    room.until(lambda: has_keys(room, LAB, f"{LAB}:2") and not page.form.isVisible(), "both keys")
    kept = room.run(room.secrets.get(f"{LAB}:2"))
    assert kept is not None
    assert kept.reveal() == OTHER_KEY
    assert OTHER_KEY not in repr(room.saved) + words(page)
    assert "2 keys" in words(page)
    room.until(lambda: f"Key 2 · ends …{OTHER_KEY[-4:]}" in words(page), "its line on the card")
    openai_upstream.key = OTHER_KEY
    assert Caller(room.engine.url, TOKEN).post(CHAT.path, CHAT.ask("hi")).status == 200
    room.until(lambda: "Key 1 · ends" in words(page) and "not used for" in words(page), "the first key's rest")
    press(room, page, text_setup.TEST)
    room.until(lambda: page.cards[LAB].result.text().startswith("Key 1: "), "the test of both")
    told = page.cards[LAB].result.text()
    assert "Incorrect API key provided" in told.partition("Key 2: ")[0]
    assert told.partition("Key 2: ")[2].startswith("Answered in")


def test_keys_are_reordered_and_removed_and_come_back_with_undo(
    room: EngineRoom, theme: Theme, qtbot: QtBot, openai_upstream: Upstream
) -> None:
    page = shown(room, theme, qtbot)
    openai_upstream.key = ""
    add_second_key(room, page, OTHER_KEY)
    press(room, page, text_setup.TEST_AND_SAVE)
    room.until(lambda: has_keys(room, LAB, f"{LAB}:2") and not page.form.isVisible(), "both keys")
    press(room, page, text_setup.EDIT)
    first, second = page.form.keys.rows
    assert (first.up.isEnabled(), first.down.isEnabled(), second.up.isEnabled(), second.down.isEnabled()) == (
        False,
        True,
        True,
        False,
    )
    room.do(second.up.click)
    assert [row.name.text() for row in page.form.keys.rows] == ["Key 2", "Key 1"]
    press(room, page, text_setup.TEST_AND_SAVE)
    room.until(lambda: has_keys(room, f"{LAB}:2", LAB) and not page.form.isVisible(), "the other order")
    assert Caller(room.engine.url, TOKEN).post(CHAT.path, CHAT.ask("hi")).status == 200
    assert openai_upstream.chats[-1].headers["authorization"] == f"Bearer {OTHER_KEY}"
    press(room, page, text_setup.EDIT)
    room.do(page.form.keys.rows[0].remove.click)
    press(room, page, text_setup.TEST_AND_SAVE)
    room.until(lambda: has_keys(room, LAB) and not page.form.isVisible(), "one key")
    room.until(lambda: not room.bridge.key_hint(f"{LAB}:2"), "its end")
    assert room.run(room.secrets.get(f"{LAB}:2")) is None
    room.run(room.bridge.undo())
    assert has_keys(room, f"{LAB}:2", LAB)
    back = room.run(room.secrets.get(f"{LAB}:2"))
    assert back is not None
    assert back.reveal() == OTHER_KEY


def test_at_another_address_only_the_keys_that_are_typed_again_stay(
    room: EngineRoom, theme: Theme, qtbot: QtBot, openai_upstream: Upstream, local_server: Upstream
) -> None:
    page = shown(room, theme, qtbot)
    openai_upstream.key = ""
    add_second_key(room, page, OTHER_KEY)
    press(room, page, text_setup.TEST_AND_SAVE)
    room.until(lambda: has_keys(room, LAB, f"{LAB}:2") and not page.form.isVisible(), "both keys")
    press(room, page, text_setup.EDIT)
    room.do(lambda: page.form.address.setText(local_server.url))
    room.do(lambda: page.form.keys.rows[1].field.setText("typed-for-the-other-address"))
    room.do(page.form._edited)
    assert text_setup.KEY_DROPPED in words(page)
    press(room, page, text_setup.TEST_AND_SAVE)
    room.until(lambda: has_keys(room, f"{LAB}:2") and not page.form.isVisible(), "the key that was typed")
    sent = {each.headers.get("authorization") for each in local_server.received}
    assert sent <= {"Bearer typed-for-the-other-address"}
    room.until(lambda: not room.bridge.key_hint(LAB), "the end of the other one")


def test_test_button_makes_a_real_call(room: EngineRoom, theme: Theme, qtbot: QtBot, openai_upstream: Upstream) -> None:
    openai_upstream.play(say("I am here"))
    page = shown(room, theme, qtbot)
    press(room, page, text_setup.TEST)
    room.until(lambda: "I am here" in page.cards[LAB].result.text(), "the answer")
    assert openai_upstream.chats[-1].json["model"] == "gpt-5-mini"


def test_removed_provider_comes_back_whole(room: EngineRoom, theme: Theme, qtbot: QtBot) -> None:
    before = room.bridge.settings
    page = shown(room, theme, qtbot)
    room.do(page.cards[LAB].removal_wanted.emit)
    room.until(page.undo_row.isVisible, "the offer to undo")
    assert room.bridge.settings.accounts == ()
    assert room.bridge.settings.routing.tiers.simple == ()
    assert room.run(room.secrets.get(LAB)) is None
    assert page.cards == {}
    press(room, page, text_setup.UNDO)
    room.until(lambda: room.bridge.settings == before, "the settings as they were")
    room.until(lambda: LAB in page.cards and room.bridge.key_hint(LAB), "the card with its key")
    assert room.run(room.bridge.probe(LAB)).is_ok


def test_provider_is_switched_off_and_used_directly(room: EngineRoom, theme: Theme, qtbot: QtBot) -> None:
    page = shown(room, theme, qtbot)
    card = page.cards[LAB]
    room.do(card.direct_wanted.emit)
    room.until(lambda: room.bridge.settings.routing.mode.kind is ModeKind.DIRECT, "Direct mode")
    room.do(card.switch_wanted.emit)
    room.until(lambda: "switched off" in words(page), "the state")
    assert not room.bridge.settings.accounts[0].is_enabled
    assert not card.test.isEnabled()


def test_found_server_is_added_with_one_click(empty_room: EngineRoom, theme: Theme, qtbot: QtBot, local_server: Upstream) -> None:
    room, page = empty_room, shown(empty_room, theme, qtbot)
    found = LocalServer("llamacpp", "llama.cpp", local_server.url, ("tiny", "large"))
    room.do(lambda: page._show_found((found,)))
    place = local_server.url.removeprefix("http://")
    assert f"llama.cpp found on {place} · 2 models" in words(page)
    press(room, page, text_setup.ADD)
    room.until(lambda: "llamacpp" in page.cards, "the card")
    account = room.bridge.settings.accounts[0]
    assert (account.base_url, account.model) == (local_server.url, "tiny")
    assert local_server.chats, "it was not tested"
    assert "found on" not in words(page)


def test_built_in_model_needs_neither_key_nor_address(empty_room: EngineRoom, theme: Theme, qtbot: QtBot) -> None:
    room, page = empty_room, shown(empty_room, theme, qtbot)
    press(room, page, text_setup.ADD_PROVIDER)
    built_in = next(entry for entry in PROVIDERS.values() if entry.is_embedded)
    room.do(lambda: page.form.provider._pick(built_in.id))
    assert not page.form.key.isVisible()
    assert not page.form.address.isVisible()
    press(room, page, text_setup.SAVE)
    room.until(lambda: built_in.id in page.cards, "the card")
    assert text_setup.STARTED_BY_US in words(page)
    room.do(page.open_form)
    assert built_in.id not in [key for key, _ in page.form.provider._options], "there is only one of it"


def test_ids_are_free_and_removal_leaves_no_target_behind() -> None:
    account = Account("ollama", "ollama", model="m")
    other = Account("ollama-2", "ollama", model="n")
    settings = Settings(accounts=(account, other))
    assert free_id("ollama", settings) == "ollama-3"
    target = Target("ollama", "m")
    routing = Routing(tiers=TierTargets((target, Target("ollama-2", "n"))), direct=target, fallback=target)
    left = without_account(replace(settings, routing=routing), "ollama").routing
    assert left.tiers.simple == (Target("ollama-2", "n"),)
    assert left.direct == Target("ollama-2", "n")
    assert left.fallback is None
