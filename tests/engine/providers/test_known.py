"""Whose word on a model counts: the snapshot's, its server's, the user's."""

from typing import Any

import pytest

from lynkr_desktop.config.settings import Account, ModelOverride
from lynkr_desktop.engine.providers.catalogue import PROVIDERS
from lynkr_desktop.engine.providers.known import KnownModels
from lynkr_desktop.engine.providers.models import ModelFacts, facts_of
from lynkr_desktop.errors import ConfigError


def known(provider: str, *own: ModelOverride, told: dict[str, ModelFacts] | None = None, keep_alive: str = "") -> KnownModels:
    account = Account("mine", provider, keep_alive=keep_alive)
    return KnownModels(PROVIDERS[provider], account, own, told)


def test_without_anybodys_word_the_snapshot_counts() -> None:
    assert known("openai").facts("gpt-5") == facts_of("openai", "gpt-5")


def test_one_price_of_the_users_puts_the_snapshots_aside() -> None:
    facts = known("openai", ModelOverride("mine", "gpt-5", input_price="99", output_price="100")).facts("gpt-5")
    assert (facts.input_price, facts.output_price, facts.cache_read_price, facts.steps) == ("99", "100", None, ())
    assert (facts.source, facts.as_of) == ("you", "")
    assert facts.context_tokens == facts_of("openai", "gpt-5").context_tokens, "what they did not say stays"


def test_the_more_special_word_counts() -> None:
    own = (
        ModelOverride("mine", "gpt-5", thinks=False),
        ModelOverride("mine", "*", thinks=True, takes_tools=False),
        ModelOverride("*", "gpt-5", thinks=True, takes_tools=True, takes_images=False),
        ModelOverride("another", "*", output_tokens=1),
    )
    facts = known("openai", *own).facts("gpt-5")
    assert (facts.thinks, facts.takes_tools, facts.takes_images) == (False, False, False)
    assert facts.output_tokens == facts_of("openai", "gpt-5").output_tokens


def test_a_server_fills_in_what_the_snapshot_lacks_and_no_more() -> None:
    told = {name: ModelFacts(context_tokens=1234, takes_tools=False) for name in ("gpt-5", "nobody-knows-this")}
    book = known("openai", told=told)
    assert book.facts("gpt-5").context_tokens == facts_of("openai", "gpt-5").context_tokens
    assert (book.facts("nobody-knows-this").context_tokens, book.facts("nobody-knows-this").takes_tools) == (1234, False)
    assert book.facts("nobody-knows-this").input_price is None, "unknown stays unknown"


def test_ollamas_window_is_the_one_that_is_asked_for() -> None:
    told = {"large:1b": ModelFacts(context_tokens=131072, thinks=True), "small:1b": ModelFacts(context_tokens=2048)}
    own = ModelOverride("mine", "mine:1b", context_tokens=65536)
    book = known("ollama", own, told=told)
    provider = PROVIDERS["ollama"]
    for model, window in {"large:1b": 32768, "small:1b": 2048, "mine:1b": 65536, "new:1b": 32768}.items():
        assert book.facts(model).context_tokens == window
        assert book.quirks(provider, model).context_tokens == window
        assert book.facts(model).is_free
    assert book.facts("large:1b").thinks


def test_what_the_user_knows_of_refusals_has_the_last_word() -> None:
    provider = PROVIDERS["anthropic"]
    own = ModelOverride("mine", "claude-opus-5", takes_sampling=None, quirks={"takes_sampling": True, "thinking_form": ""})
    book = known("anthropic", own)
    assert book.quirks(provider, "claude-opus-5").takes_sampling
    assert book.quirks(provider, "claude-opus-5").thinking_form == ""
    assert not book.quirks(provider, "claude-opus-5-5").takes_sampling


@pytest.mark.parametrize("wrong", [{"takes_nothing": True}, {"takes_sampling": "no"}, {"context_tokens": True}])
def test_a_wrong_quirk_is_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))) as caught:
        known("anthropic", ModelOverride("mine", "x", quirks=wrong)).quirks(PROVIDERS["anthropic"], "x")
    assert caught.value.field == "mine:x"


def test_many_names_are_not_kept_for_ever() -> None:
    book = known("openai")
    for number in range(5000):
        book.facts(f"name-{number}")
        book.quirks(PROVIDERS["openai"], f"name-{number}")
    assert len(book._facts) <= 2048
    assert len(book._quirks) <= 2048
