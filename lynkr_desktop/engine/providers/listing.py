"""What providers list as their models. Pure: bytes in, names out.

Most list them as `data[].id`; Google and Ollama as `models[].name`, Google with what each can do.
"""

from lynkr_desktop.errors import FailureKind, UpstreamError
from lynkr_desktop.json_reader import Fields, ShapeError


def model_ids(body: bytes, account: str) -> tuple[str, ...]:
    """The ids in a list of models, in the provider's order. Raises `UpstreamError(PROTOCOL)`."""
    try:
        fields = Fields.parse(body)
        if fields.has("models") and not fields.has("data"):
            return tuple(each.text("name").removeprefix("models/") for each in fields.objects("models") if _can_talk(each))
        return tuple(each.text("id") for each in fields.objects("data"))
    except ShapeError as error:
        raise UpstreamError(
            FailureKind.PROTOCOL, f"{account} gave no list of models.", f"Is the base URL right? {error}", provider=account
        ) from None


def _can_talk(model: Fields) -> bool:
    """Is this one for conversations? Google's list has embedding and picture models too."""
    methods = model.optional("supportedGenerationMethods", list[str])
    return methods is None or "generateContent" in methods
