"""What a provider is: a door out. A value, never a class of its own."""

from enum import StrEnum

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
    OPTIONAL_BEARER = "optional-bearer"  # local servers: a key only if the user set one
    OPTIONAL_X_API_KEY = "optional-x-api-key"


class EnvNames(msgspec.Struct, frozen=True):
    """Lynkr's environment variables for this provider. Empty where there is none."""

    key: str = ""
    model: str = ""
    endpoint: str = ""  # full address of the chat path
    base: str = ""  # address without the path
    path: str = ""  # path of a conversation, of a provider whose paths name the model
    regions: tuple[str, ...] = ()  # the region in the address; the first that is set counts


class Provider(msgspec.Struct, frozen=True):
    """One entry of the catalogue.

    `base_url` has no trailing slash and no path of a single call; `chat_path` is added to it. A path may hold `{model}`.
    `wire` names a module of `engine.wire`.
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
    region: str = ""  # the usual region, as it stands in `base_url`
    twin: str = ""  # the same vendor's entry for addresses that end in that one's path
    is_embedded: bool = False  # started and stopped by us
    reads_bytes: int = 0  # of a longer request it reads only the newest part; 0: it reads all

    @property
    def needs_key(self) -> bool:
        """Is nothing served without a key?"""
        return self.auth in (Auth.BEARER, Auth.X_API_KEY, Auth.API_KEY, Auth.X_GOOG_API_KEY)
