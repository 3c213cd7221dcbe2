"""Lynkr's environment variables and `.env` files, read as settings and secrets. Pure but for reading those files and secrets'.

What comes from here overrides the settings file while the program runs; who saves settings must not save this overlay.
The table of providers is a parameter, because settings know nothing of the engine.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from dotenv.parser import parse_stream

from lynkr_desktop.config import prices
from lynkr_desktop.config.secrets import ADMIN_REF, DATABASE_REF, TOKEN_REF, Secret
from lynkr_desktop.config.settings import (
    MOST_KEYS,
    TIERS,
    Account,
    AccountKey,
    Mode,
    ModeKind,
    Routing,
    Settings,
    Target,
    TargetOrder,
    Tier,
    validate,
)
from lynkr_desktop.errors import ConfigError

_MOST_SECRET_BYTES: Final = 16 * 1024
_SHORTEST_ADMIN_TOKEN: Final = 20
_ON: Final = frozenset({"true", "1", "yes", "on"})
_OFF: Final = frozenset({"false", "0", "no", "off"})
_PORTS: Final = {"http": 80, "https": 443}
# Other names under which a variable is known: the original called the Gemini API `vertex`, Google's own programs know both keys.
_SYNONYMS: Final = {
    "GEMINI_API_KEY": ("GOOGLE_API_KEY", "VERTEX_API_KEY"),
    "GEMINI_MODEL": ("VERTEX_MODEL",),
}
_EMBEDDINGS_ORDER: Final = ("openrouter", "openai", "ollama", "llamacpp")
_EMBEDDINGS_PATH: Final = re.compile(r"(/v\d+)?(/embeddings?|/api/embed(dings)?)$")
_CALLS: Final = ("/chat/completions", "/completions", "/messages", "/responses", "/api/chat", "/api/generate", "/invocations")


@dataclass(frozen=True, slots=True)
class ProviderNames:
    """What the environment must know of one provider. Variables' names are empty where there is none.

    `chat_path` is what follows the base address, e.g. `/v1/chat/completions`. `path` names a variable that holds such a path with
    a model in it. `places` are parts of a new account's address, each with its variables, of which the first that is set counts;
    `address` makes the address of them. `key_file` names a file that holds the key, `key_parts` the fields of a key of JSON and
    their variables. `twin` is the provider that is meant instead if an address ends in that one's chat path, `instead` the one
    that this one's name means where only that one's key is set.
    """

    id: str
    aliases: tuple[str, ...]
    key: str
    model: str
    endpoint: str
    base: str
    chat_path: str
    default_base_url: str
    is_local: bool
    needs_key: bool
    default_model: str = ""
    path: str = ""
    key_file: str = ""
    key_parts: tuple[tuple[str, str], ...] = ()
    places: tuple[tuple[str, tuple[str, ...]], ...] = ()
    address: Callable[[Mapping[str, str]], str] = lambda _: ""
    twin: str = ""
    is_embedded: bool = False
    is_program: bool = False
    instead: str = ""
    most_at_once: str = ""


def apply_environment(
    settings: Settings, env: Mapping[str, str], known: Mapping[str, ProviderNames]
) -> tuple[Settings, dict[str, Secret], list[str]]:
    """The settings as the environment wants them, the secrets it gives by ref, and notices for the user.

    Variables that are not Lynkr's, and empty ones, are passed over. Raises `ConfigError` that names the variable.
    """
    overlay = _Overlay(settings, _named({name: value.strip() for name, value in env.items() if value.strip()}), known)
    overlay.read_accounts()
    overlay.read_routing()
    overlay.read_endpoint()
    overlay.read_prices()
    return validate(overlay.settings), overlay.secrets, overlay.notices


def _named(env: Mapping[str, str]) -> Mapping[str, str]:
    """The variables under the names that the catalogue uses; a variable's own name goes before its synonyms."""
    found = {
        name + number: env[other + number]
        for name, others in _SYNONYMS.items()
        for other in reversed(others)
        for number in ("", *(f"_{number}" for number in range(2, MOST_KEYS + 1)))
        if other + number in env
    }
    return {**found, **env}


def key_variables(name: str) -> list[tuple[str, str]]:
    """The ids of an account's keys and their variables: `OPENAI_API_KEY`, then `OPENAI_API_KEY_2` and so on."""
    return [("", name), *((str(number), f"{name}_{number}") for number in range(2, MOST_KEYS + 1))] if name else []


def with_secret_files(env: Mapping[str, str], known: Mapping[str, ProviderNames]) -> dict[str, str]:
    """The variables with the secrets that lie in files: `OPENAI_API_KEY_FILE` names the file of `OPENAI_API_KEY`.

    So containers and service managers hand secrets over, for an environment is seen by all child processes. White space around
    a secret is dropped. Raises `ConfigError` that names the variable, never the content.
    """
    found = dict(env)
    keys = {entry.key for entry in known.values() if entry.key}
    plain = {*keys, *(name for key in keys for name in _SYNONYMS.get(key, ()))}
    names = {"LYNKR_TOKEN", "LYNKR_ADMIN_TOKEN", "LYNKR_DATABASE_URL", *(name for key in plain for _, name in key_variables(key))}
    for name in sorted(names):
        variable = f"{name}_FILE"
        path = found.get(variable, "").strip()
        if not path:
            continue
        if found.get(name, "").strip():
            raise ConfigError(f"{name} and {variable} are both set.", "Leave one of them out.", field=variable)
        found[name] = _secret_in(Path(path), variable)
    for entry in known.values():
        path = found.get(entry.key_file, "").strip() if entry.key_file else ""
        if path and not found.get(entry.key, "").strip():
            found[entry.key] = _secret_in(Path(path), entry.key_file)
    return found


def _secret_in(path: Path, variable: str) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_SECRET_BYTES + 1).decode("utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{variable} names a file that cannot be read.", f"{path}: {error.strerror}.", field=variable) from None
    except UnicodeDecodeError:
        text = ""
    if not text or len(text) > _MOST_SECRET_BYTES:
        raise ConfigError(f"{variable} names a file without a secret.", f"{path} must hold it as plain text.", field=variable)
    return text


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a `.env` file, without interpolation. Raises `ConfigError` that names the line, never its text."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            bindings = list(parse_stream(stream))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read.", f"{error.strerror or error}.") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not valid UTF-8.", "Save it as UTF-8 and import it again.") from None
    for binding in bindings:
        if binding.error:
            line = binding.original.line + binding.original.string[: -len(binding.original.string.lstrip())].count("\n")
            raise ConfigError(f"{path} cannot be read.", f"Line {line} is not of the form NAME=value.")
    return {binding.key: binding.value for binding in bindings if binding.key is not None and binding.value is not None}


@dataclass(frozen=True, slots=True)
class _Address:
    """What a variable says: the base address, the model and the provider if it names them."""

    base_url: str
    variable: str
    model: str = ""
    provider: str = ""


def _count(text: str, variable: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,2}", text):
        raise ConfigError(f"{variable} is not a number of requests.", "Set it to a number from 1 to 999.", field=variable)
    return int(text)


def _keys_of_parts(env: Mapping[str, str], known: Iterable[ProviderNames]) -> dict[str, str]:
    """The keys that several variables make together, for providers whose address says that they are wanted."""
    return {
        entry.key: json.dumps({field: env[name] for field, name in entry.key_parts})
        for entry in known
        if entry.key_parts and {entry.endpoint, entry.base} & set(env) and all(name in env for _, name in entry.key_parts)
    }


class _Overlay:
    """Settings in the course of being overridden."""

    def __init__(self, settings: Settings, env: Mapping[str, str], known: Mapping[str, ProviderNames]) -> None:
        self.settings = settings
        self.secrets: dict[str, Secret] = {}
        self.notices: list[str] = []
        self._env = {**_keys_of_parts(env, known.values()), **env}
        self._known = known
        self._names = {alias: entry.id for entry in known.values() for alias in (entry.id, *entry.aliases)}
        self._names |= {entry.id: entry.instead for entry in known.values() if entry.instead and self._is_other(entry)}

    # Accounts

    def read_accounts(self) -> None:
        """Keys, models and addresses of each provider. A model alone makes an account only for a local one."""
        for entry in self._known.values():
            values = self._own_variables(entry)
            has_local_model = entry.is_local and entry.model in self._env
            if values or has_local_model or self.settings.account(entry.id):
                self._account(entry)

    def _own_variables(self, entry: ProviderNames) -> set[str]:
        """Those that are set and say that this provider is wanted; of a place's several names only the first does."""
        places = (names[0] for _, names in entry.places if len(names) > 1 and "REGION" not in names[0])
        variables = (*(name for _, name in key_variables(entry.key)), entry.endpoint, entry.base, *places)
        return {name for name in variables if name and name in self._env}

    def _is_other(self, entry: ProviderNames) -> bool:
        """Does the name of this provider mean the other one that it was called by?"""
        has_place = any(name in self._env for _, names in entry.places for name in names)
        other = self._known[entry.instead]
        return not self._own_variables(entry) and (other.key in self._env or not has_place)

    def _account(self, entry: ProviderNames) -> Account:
        """The account that the variables of a provider are about: the one with the provider's own name."""
        old = self.settings.account(entry.id)
        address = self._address(entry)
        base_url, variable = address.base_url, address.variable
        account = old or Account(id=entry.id, provider=entry.id, base_url=self._placed(entry))
        account = dataclasses.replace(
            account,
            provider=address.provider or account.provider,
            base_url=base_url or account.base_url,
            keep_alive=self._keep_alive(entry) or account.keep_alive,
            is_preloaded=self._preloads(entry, account),
            model=self._env.get(entry.model) or address.model or self._model_of_path(entry) or account.model,
        )
        given = [(number, name) for number, name in key_variables(entry.key) if name in self._env]
        for number, name in given:
            account = self._with_key(account, entry, number, name)
        if not given and old is None and entry.needs_key:
            self.notices.append(f"{entry.key} is not set. {entry.id} needs a key.")
        if old is None and not account.base_url and not entry.default_base_url and variable:
            variable = entry.places[0][1][0] if entry.places else variable
            raise ConfigError(f"{entry.id} has no address.", f"Set {variable}.", field=variable)
        if entry.most_at_once and entry.most_at_once in self._env:
            account = dataclasses.replace(account, most_at_once=_count(self._env[entry.most_at_once], entry.most_at_once))
        self._put(account)
        return account

    def _keep_alive(self, entry: ProviderNames) -> str:
        """OLLAMA_KEEP_ALIVE."""
        return self._env.get(f"{entry.model.removesuffix('_MODEL')}_KEEP_ALIVE", "") if entry.is_local else ""

    def _preloads(self, entry: ProviderNames, account: Account) -> bool:
        """OLLAMA_PRELOAD."""
        variable = f"{entry.model.removesuffix('_MODEL')}_PRELOAD"
        return self._switch(variable) if entry.is_local and variable in self._env else account.is_preloaded

    def _with_key(self, account: Account, entry: ProviderNames, number: str, variable: str) -> Account:
        """The account with a key of the environment at its place, or after the others."""
        value = self._env[variable]
        is_json = bool(entry.key_file or entry.key_parts) and value.startswith("{")
        if not is_json and any(character.isspace() or not character.isprintable() for character in value):
            raise ConfigError(f"{variable} cannot be a key.", "It holds white space or control characters.", field=variable)
        self.secrets[account.ref(number)] = Secret(value)
        key = AccountKey(origin(account.base_url or entry.default_base_url), number)
        if any(each.id == number for each in account.keys):
            keys = tuple(dataclasses.replace(each, origin=key.origin) if each.id == number else each for each in account.keys)
        else:
            keys = (*account.keys, key) if number else (key, *account.keys)
        return dataclasses.replace(account, keys=keys)

    def _put(self, account: Account) -> None:
        accounts = self.settings.accounts
        if self.settings.account(account.id) is None:
            accounts = (*accounts, account)
        else:
            accounts = tuple(account if old.id == account.id else old for old in accounts)
        self.settings = dataclasses.replace(self.settings, accounts=accounts)

    def _address(self, entry: ProviderNames) -> "_Address":
        """What the variables say of the address; without any, the name of the variable that could."""
        if entry.is_program:
            return _Address(self._env.get(entry.base, ""), "")
        given = [name for name in (entry.endpoint, entry.base) if name and name in self._env]
        found = [self._read_address(entry, name) for name in given]
        if len({address.base_url for address in found}) > 1:
            self.notices.append(f"{given[0]} and {given[1]} differ. {given[0]} is used.")
        return found[0] if found else _Address("", entry.endpoint or entry.base)

    def _placed(self, entry: ProviderNames) -> str:
        """The address that the variables of its parts make; empty if none is set, or the provider has no such parts."""
        values: dict[str, str] = {}
        for place, names in entry.places:
            name = next((name for name in names if name in self._env), "")
            values[place] = self._env.get(name, "")
            try:
                entry.address(values)
            except ConfigError as error:
                raise ConfigError(f"{name} is not a {place}.", error.detail, field=name) from None
        return entry.address(values) if any(values.values()) else ""

    def _read_address(self, entry: ProviderNames, variable: str) -> "_Address":
        address, twin = self._env[variable], self._known.get(entry.twin)
        own = _ending(entry.chat_path).search(_path_of(address))
        if own is None and twin is not None and (other := _ending(twin.chat_path).search(_path_of(address))):
            return _Address(base_address(address, twin.chat_path, variable), variable, _model_in(other), twin.id)
        return _Address(base_address(address, entry.chat_path, variable), variable, _model_in(own), entry.id)

    def _model_of_path(self, entry: ProviderNames) -> str:
        """The model in the variable that holds a path."""
        path = self._env.get(entry.path, "")
        if not path:
            return ""
        found = _model_in(_ending(entry.chat_path).search(path.rstrip("/")))
        if not found:
            example = entry.chat_path.replace("{model}", "MODEL")
            raise ConfigError(f"{entry.path} is not a path of {entry.id}.", f"It looks like {example}.", field=entry.path)
        return found

    # Routing

    def read_routing(self) -> None:
        """MODEL_PROVIDER, TIER_* and FALLBACK_*. The tiers route only if all four are set, here or in the file."""
        routing = self.settings.routing
        has_provider = "MODEL_PROVIDER" in self._env
        if has_provider:
            routing = dataclasses.replace(routing, direct=self._target("MODEL_PROVIDER", self._env["MODEL_PROVIDER"], None))
        main = routing.direct.account if routing.direct else None
        given = [tier for tier in TIERS if f"TIER_{tier.value}" in self._env]
        for tier in given:
            routing = dataclasses.replace(routing, tiers=routing.tiers.with_tier(tier, self._targets(tier, main)))
        routing = self._with_embeddings(self._with_fallback(routing))
        if "LYNKR_STICKY_SESSIONS" in self._env:
            routing = dataclasses.replace(routing, is_sticky=self._switch("LYNKR_STICKY_SESSIONS"))
        if "LYNKR_CAREFUL" in self._env:
            routing = dataclasses.replace(routing, is_careful=self._switch("LYNKR_CAREFUL"))
        if "LYNKR_TARGET_ORDER" in self._env:
            routing = dataclasses.replace(routing, order=self._order())
        if has_provider or given:
            routing = dataclasses.replace(routing, mode=self._mode(routing, given))
        if "LYNKR_MODE" in self._env:
            routing = dataclasses.replace(routing, mode=self._named_mode())
        self.settings = dataclasses.replace(self.settings, routing=routing)

    def _mode(self, routing: Routing, given: list[Tier]) -> Mode:
        if routing.tiers.are_complete:
            return routing.mode if routing.mode.kind is ModeKind.PIN else Mode(ModeKind.AUTO)
        if given:
            missing = ", ".join(f"TIER_{tier.value}" for tier in TIERS if not routing.tiers.of(tier))
            instead = (
                f"Everything goes to {routing.direct}." if routing.direct else "Set MODEL_PROVIDER, or no request can be served."
            )
            self.notices.append(f"Tiers need all four settings; {missing} is not set. {instead}")
        return Mode(ModeKind.DIRECT)

    def _order(self) -> TargetOrder:
        name = self._env["LYNKR_TARGET_ORDER"].lower().replace("-", "_")
        if name not in set(TargetOrder):
            choices = ", ".join(TargetOrder)
            raise ConfigError("LYNKR_TARGET_ORDER is not an order.", f"Use one of: {choices}.", field="LYNKR_TARGET_ORDER")
        return TargetOrder(name)

    def _named_mode(self) -> Mode:
        """LYNKR_MODE: `auto`, `direct`, `observe`, `local`, or a tier's name, which pins it."""
        name = self._env["LYNKR_MODE"].upper()
        if name in TIERS:
            return Mode(ModeKind.PIN, Tier(name))
        if name.lower() not in {*ModeKind} - {ModeKind.PIN}:
            choices = ", ".join([*(kind for kind in ModeKind if kind is not ModeKind.PIN), *(tier.lower() for tier in TIERS)])
            raise ConfigError("LYNKR_MODE is not a mode.", f"Set it to one of: {choices}.", field="LYNKR_MODE")
        return Mode(ModeKind(name.lower()))

    def _with_fallback(self, routing: Routing) -> Routing:
        if "FALLBACK_ENABLED" in self._env:
            routing = dataclasses.replace(routing, is_fallback_enabled=self._switch("FALLBACK_ENABLED"))
        name = self._env.get("FALLBACK_PROVIDER")
        if name is None or not routing.is_fallback_enabled:
            return routing
        return dataclasses.replace(routing, fallback=self._target("FALLBACK_PROVIDER", name, None))

    def _with_embeddings(self, routing: Routing) -> Routing:
        """EMBEDDINGS_PROVIDER, with or without a model; the model may also be in the provider's own variable."""
        name = self._env.get("EMBEDDINGS_PROVIDER")
        if name is None:
            return self._with_embeddings_model(routing)
        built_in = self._known.get(self._names.get(name.lower(), ""))
        if built_in is not None and built_in.is_embedded:
            return dataclasses.replace(routing, embeddings=Target(built_in.id, ""))  # needs no account: it is another model
        found = self._target("EMBEDDINGS_PROVIDER", name, None)
        account = self.settings.account(found.account)
        entry = self._known.get(account.provider) if account else None
        model = name.partition(":")[2].strip() or (self._embeddings_variable(entry, "MODEL") if entry else "")
        elsewhere = self._embeddings_account(entry) if entry else ""
        return dataclasses.replace(routing, embeddings=Target(elsewhere or found.account, model))

    def _with_embeddings_model(self, routing: Routing) -> Routing:
        """A provider's own variables alone name who makes vectors: MODEL_PROVIDER's first, then in the original's order."""
        main = self.settings.account(routing.direct.account) if routing.direct else None
        order = [main.provider] if main else []
        for provider in dict.fromkeys([*order, *_EMBEDDINGS_ORDER, *self._known]):
            entry = self._known.get(provider)
            account = (self.settings.account(provider) or self._only_account(provider)) if entry else None
            if entry is None or account is None:
                continue
            model, elsewhere = self._embeddings_variable(entry, "MODEL"), self._embeddings_account(entry)
            if model or elsewhere:
                return dataclasses.replace(routing, embeddings=Target(elsewhere or account.id, model))
        return routing

    def _embeddings_variable(self, entry: ProviderNames, what: str) -> str:
        return self._env.get(f"{entry.model.removesuffix('_MODEL')}_EMBEDDINGS_{what}", "") if entry.model else ""

    def _embeddings_account(self, entry: ProviderNames) -> str:
        """The account of a local server that only makes vectors, at an address of its own; empty if there is none."""
        address = self._embeddings_variable(entry, "ENDPOINT") if entry.is_local else ""
        if not address:
            return ""
        variable = f"{entry.model.removesuffix('_MODEL')}_EMBEDDINGS_ENDPOINT"
        parts = _split(address, variable)
        base_url = f"{_origin(parts)}{_EMBEDDINGS_PATH.sub('', parts.path.rstrip('/'))}"
        main = self.settings.account(entry.id)
        if main is not None and base_url == (main.base_url or entry.default_base_url):
            return ""
        account = Account(f"{entry.id}-embeddings", entry.id, base_url=base_url)
        self._put(account)
        return account.id

    def _switch(self, variable: str) -> bool:
        value = self._env[variable].lower()
        if value not in _ON | _OFF:
            raise ConfigError(f"{variable} is neither on nor off.", "Set it to true or false.", field=variable)
        return value in _ON

    def _targets(self, tier: Tier, main: str | None) -> tuple[Target, ...]:
        variable = f"TIER_{tier.value}"
        items = [item.strip() for item in self._env[variable].split(",") if item.strip()]
        return tuple(dict.fromkeys(self._target(variable, item, main) for item in items))

    def _target(self, variable: str, text: str, main: str | None) -> Target:
        """`account:model`, an account alone, or a model alone at `main`.

        Only a known name before the first colon is one, so that `qwen2.5:7b` stays a model.
        """
        head, _, model = text.partition(":")
        account = self._account_named(head.strip().lower())
        if account is not None:
            return Target(account.id, model.strip() or self._usual_model(account))
        if main is not None:
            return Target(main, text)
        raise self._unknown(variable, head.strip())

    def _account_named(self, name: str) -> Account | None:
        account = self.settings.account(name)
        if account is not None:
            return account
        entry = self._known.get(self._names.get(name, ""))
        if entry is None:
            return None
        return self.settings.account(entry.id) or self._only_account(entry.id) or self._account(entry)

    def _only_account(self, provider: str) -> Account | None:
        """The user may have named the account of a provider differently."""
        return next((account for account in self.settings.accounts if account.provider == provider), None)

    def _usual_model(self, account: Account) -> str:
        entry = self._known.get(account.provider)
        return account.model or (entry.default_model if entry else "")

    def _unknown(self, variable: str, name: str) -> ConfigError:
        own: Iterable[str] = (account.id for account in self.settings.accounts)
        names = ", ".join(sorted({*self._known, *own}))
        hint = "" if "MODEL_PROVIDER" in self._env else " A model alone needs MODEL_PROVIDER."
        return ConfigError(
            f"{variable} names {name!r}, which is no provider here.", f"Use one of: {names}.{hint}", field=variable
        )

    # Prices

    def read_prices(self) -> None:
        """MODEL_PRICE_OVERRIDES, before what the settings say of the same models."""
        text = self._env.get(prices.VARIABLE)
        if text is None:
            return
        own = prices.prices_of(text, self._account_id)
        named = {(each.account, each.model) for each in own}
        kept = tuple(each for each in self.settings.models if (each.account, each.model) not in named)
        self.settings = dataclasses.replace(self.settings, models=(*kept, *own))

    def _account_id(self, name: str) -> str:
        return self._names.get(name.lower()) or (name if self.settings.account(name) is not None else "")

    # The endpoint

    def read_endpoint(self) -> None:
        """PORT, the tokens, and LYNKR_DATABASE_URL, which may hold a password."""
        port = self._env.get("PORT")
        if port is not None:
            if not port.isascii() or not port.isdigit() or not 1 <= int(port[:6]) <= 65535:
                raise ConfigError("PORT is not a port.", "Set it to a number from 1 to 65535.", field="PORT")
            endpoint = dataclasses.replace(self.settings.endpoint, port=int(port))
            self.settings = dataclasses.replace(self.settings, endpoint=endpoint)
        for variable, ref in (("LYNKR_TOKEN", TOKEN_REF), ("LYNKR_ADMIN_TOKEN", ADMIN_REF)):
            if (token := self._env.get(variable)) is not None:
                self.secrets[ref] = _token(token, variable)
        if "LYNKR_DATABASE_URL" in self._env:
            self.secrets[DATABASE_REF] = Secret(self._env["LYNKR_DATABASE_URL"])
        admin = self.secrets.get(ADMIN_REF)
        if admin is not None and len(admin.reveal()) < _SHORTEST_ADMIN_TOKEN:
            remedy = f"Use at least {_SHORTEST_ADMIN_TOKEN} random characters."
            raise ConfigError("LYNKR_ADMIN_TOKEN is too short.", remedy, field="LYNKR_ADMIN_TOKEN")
        if admin is not None and admin == self.secrets.get(TOKEN_REF):
            remedy = "Choose two, so that programs that use models cannot administer."
            raise ConfigError("LYNKR_ADMIN_TOKEN and LYNKR_TOKEN are the same.", remedy, field="LYNKR_ADMIN_TOKEN")


def _token(token: str, variable: str) -> Secret:
    if not token.isascii() or any(character.isspace() or not character.isprintable() for character in token):
        raise ConfigError(f"{variable} cannot be a token.", "Use letters, digits and dashes.", field=variable)
    return Secret(token)


def base_address(address: str, chat_path: str, variable: str) -> str:
    """An address without the chat path: given whole, up to its first folder (`/v1`), or already without.

    `localhost` becomes 127.0.0.1, because servers that listen there often do not listen on ::1. Raises `ConfigError`, which
    does not quote the address: it may hold a password.
    """
    parts = _split(address, variable, chat_path.partition("?")[2].partition("=")[0])
    path = parts.path.rstrip("/")
    version = "/" + chat_path.strip("/").split("/", maxsplit=1)[0]
    if ending := _ending(chat_path).search(path):
        path = path[: ending.start()]
    elif path.endswith(_CALLS):
        wanted = chat_path.partition("?")[0].replace("{model}", "MODEL")
        raise ConfigError(f"{variable} names a path that is not supported.", f"It must end in {wanted}.", field=variable)
    elif chat_path.count("/") > 1:
        path = path.removesuffix(version)
    return f"{_origin(parts)}{path.rstrip('/')}" + (f"?{parts.query}" if parts.query else "")


def _ending(chat_path: str) -> re.Pattern[str]:
    """The end of an address that is whole."""
    plain = re.escape(chat_path.partition("?")[0])
    return re.compile(plain.replace(re.escape("{model}"), "(?P<model>[^/]+)") + "$")


def _model_in(ending: re.Match[str] | None) -> str:
    return unquote(ending.groupdict().get("model") or "") if ending else ""


def _path_of(address: str) -> str:
    return address.partition("?")[0].rstrip("/")


def origin(address: str) -> str:
    """Scheme, host and port of an address, spelt as the engine spells them where it binds a key. Empty if it is none."""
    try:
        return _origin(urlsplit(address)) if "://" in address else ""
    except ValueError:
        return ""


def _origin(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    host = "127.0.0.1" if host == "localhost" else host
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + ("" if parts.port in {None, _PORTS.get(parts.scheme)} else f":{parts.port}")


def _split(address: str, variable: str, parameter: str = "") -> SplitResult:
    """The parts of an address that holds nothing else; of a query only the one parameter that belongs to the path."""
    try:
        parts = urlsplit(address)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise ConfigError(f"{variable} is not an address.", "It looks like https://host:port/path.", field=variable)
    is_plain = not parts.query or (parameter and re.fullmatch(rf"{re.escape(parameter)}=[\w.-]+", parts.query))
    if parts.username is not None or not is_plain or parts.fragment:
        raise ConfigError(
            f"{variable} holds more than an address.",
            "Leave out user name, password, ? and #; keys have their own variable.",
            field=variable,
        )
    return parts
