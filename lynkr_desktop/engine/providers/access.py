"""An account ready for use: its provider, where it is, and its key. Values only."""

import msgspec

from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Account
from lynkr_desktop.engine.providers.provider import Provider


class Access(msgspec.Struct, frozen=True):
    """What one call needs of an account. `base_url` is the account's own, else the provider's; `key` None means there is none."""

    account: Account
    provider: Provider
    base_url: str
    key: Secret | None = None
