"""An account ready for use: its provider, where it is, and its key. Values only."""

import msgspec

from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Account
from lynkr_desktop.engine.providers.known import KnownModels
from lynkr_desktop.engine.providers.models import ModelFacts, facts_of, quirks_for
from lynkr_desktop.engine.providers.provider import Provider
from lynkr_desktop.engine.wire.contract import Quirks


class Access(msgspec.Struct, frozen=True):
    """What one call needs of an account. `base_url` is the account's own, else the provider's; `key` None means there is none.

    Of an account with several keys each has an access of its own: `spares` are those of the later ones, `key_id` says whose this
    is and `key_name` what to call it. All three are empty where there is but one.
    """

    account: Account
    provider: Provider
    base_url: str
    key: Secret | None = None
    key_id: str = ""
    key_name: str = ""
    spares: "tuple[Access, ...]" = ()
    known: KnownModels | None = None

    def facts(self, model: str) -> ModelFacts:
        """What is known of one of its models."""
        return self.known.facts(model) if self.known is not None else facts_of(self.provider.id, model)

    def quirks(self, model: str) -> Quirks:
        """How to speak to one of its models."""
        return self.known.quirks(self.provider, model) if self.known is not None else quirks_for(self.provider, model)
