"""What a provider is: a door out. A value, never a class of its own."""

from enum import StrEnum
from typing import Final

import msgspec

from lynkr_desktop.engine.wire.contract import Quirks


class Auth(StrEnum):
    """How a key travels."""

    NONE = "none"  # no key at all
    BEARER = "bearer"  # Authorization: Bearer
    X_API_KEY = "x-api-key"
    API_KEY = "api-key"
    X_GOOG_API_KEY = "x-goog-api-key"
    AWS = "aws"  # a Bedrock API key as a bearer, or a signature with the credentials of this machine
    GOOGLE = "google"  # a token of the service account that the key is, or of the credentials of this machine
    ENTRA = "entra"  # `api-key`, or the bearer token of the service principal that the key is, or such a token itself
    ENTRA_X = "entra-x"  # the same with `x-api-key`
    OPTIONAL_BEARER = "optional-bearer"  # local servers: a key only if the user set one
    OPTIONAL_X_API_KEY = "optional-x-api-key"


class EnvNames(msgspec.Struct, frozen=True):
    """Lynkr's environment variables for this provider. Empty where there is none."""

    key: str = ""
    model: str = ""
    endpoint: str = ""  # full address of the chat path
    base: str = ""  # address without the path
    path: str = ""  # path of a conversation, of a provider whose paths name the model
    key_file: str = ""  # names a file that holds the key
    key_parts: tuple[tuple[str, str], ...] = ()  # variables that together are a key of JSON: its field, the variable
    most_at_once: str = ""  # how many requests may be in progress at a time
    instead: str = ""  # the provider that is meant by this one's name where only that one's key is set


class Place(msgspec.Struct, frozen=True):
    """A part of an address that a user knows by a name of its own.

    `pattern` fits its values. Of `variables` the first that is set counts.
    """

    name: str
    pattern: str
    usual: str = ""
    variables: tuple[str, ...] = ()


class Door(msgspec.Struct, frozen=True):
    """Another way in at a provider, with the same address and key: other paths, another wire.

    `models` are patterns of the names that go through it, in lower case. `is_for_its_clients` lets through only requests of
    clients who speak its wire; those of others take the provider's usual way. `is_only_at_home` is for doors that other servers
    of the same kind, at addresses of their own, may not have.
    """

    wire: str
    chat_path: str
    models: tuple[str, ...] = ("*",)
    is_for_its_clients: bool = False
    is_only_at_home: bool = False
    stream_path: str = ""
    count_path: str = ""
    headers: dict[str, str] = {}
    quirks: Quirks = Quirks()
    framing: str = ""


class Provider(msgspec.Struct, frozen=True):
    """One entry of the catalogue.

    `base_url` has no trailing slash and no path of a single call; `chat_path` is added to it. A path may hold `{model}`.
    `wire` names a module of `engine.wire`. An entry with doors has other ways in too: see `catalogue.way`.
    """

    id: str
    title: str
    wire: str
    base_url: str
    chat_path: str
    auth: Auth
    env: EnvNames
    stream_path: str = ""  # of a streamed conversation, where that is another
    models_path: str = ""  # lists models; empty if there is no list
    show_path: str = ""  # tells of one model what it can do, in Ollama's form
    load_path: str = ""  # takes a model into memory, in Ollama's form
    embeddings_path: str = ""  # makes vectors of texts, in the provider's own wire; empty if it does not
    embeddings_model: str = ""  # used for that unless the user or the client names one
    count_path: str = ""  # counts tokens exactly; empty if there is none
    headers: dict[str, str] = {}
    quirks: Quirks = Quirks()
    default_model: str = ""
    is_local: bool = False  # runs on this machine: free, no key needed
    usual_ports: tuple[int, ...] = ()  # where a local server is looked for
    key_page: str = ""  # where the user gets a key
    example: str = ""  # of an address, where the user must enter one
    address: str = ""  # form of the address, of a provider with places
    places: tuple[Place, ...] = ()
    hosts: dict[str, str] = {}  # the host in the address by the region; the empty one is for all others
    doors: tuple[Door, ...] = ()
    framing: str = ""  # of streams, where that is not the wire's own
    other_paths: tuple[str, ...] = ()  # of the provider's other ways in
    most_at_once: int = 0  # requests that the provider serves to one account at a time; 0: as many as there are
    twin: str = ""  # the same vendor's entry for addresses that end in that one's path
    is_embedded: bool = False  # started and stopped by us
    is_program: bool = False  # a program of the user's, which we start and talk to; its address is its path, empty: found
    reads_bytes: int = 0  # of a longer request it reads only the newest part; 0: it reads all

    @property
    def needs_key(self) -> bool:
        """Is nothing served without a key?"""
        return self.auth in _DEMANDS_KEY

    @property
    def takes_json_key(self) -> bool:
        """May the key be a cloud's JSON, for which a token is fetched?"""
        return self.auth in _TAKES_JSON

    @property
    def must_sign_in(self) -> bool:
        """Does a call need more than the key: a signature, or a token that is fetched?"""
        return self.auth in _SIGNS_IN


_DEMANDS_KEY: Final = frozenset({Auth.BEARER, Auth.X_API_KEY, Auth.API_KEY, Auth.X_GOOG_API_KEY, Auth.ENTRA, Auth.ENTRA_X})
_TAKES_JSON: Final = frozenset({Auth.GOOGLE, Auth.ENTRA, Auth.ENTRA_X})
_SIGNS_IN: Final = frozenset({Auth.AWS, Auth.GOOGLE, Auth.ENTRA, Auth.ENTRA_X})
