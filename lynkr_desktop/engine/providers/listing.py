"""What providers list as their models, and what they tell of each. Pure: bytes in, names and facts out.

Most list them as `data[].id`; Google and Ollama as `models[].name`, Google with what each can do. OpenRouter, Google, Moonshot
and vLLM tell the window in the list, each by a name of its own; Ollama tells more where it is asked for one model. Prices are not
read from lists: they are told for one route of several, and change with the hour.
"""

from typing import Final

from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.errors import FailureKind, UpstreamError
from lynkr_desktop.json_reader import Fields, ShapeError

_WINDOWS: Final = ("context_length", "max_model_len", "max_context_length", "context_window", "inputTokenLimit")
_OUTPUTS: Final = ("outputTokenLimit", "max_output_tokens", "max_completion_tokens")


def listed(body: bytes, account: str) -> dict[str, ModelFacts]:
    """The models of a list in the provider's order, with what it tells of them. Raises `UpstreamError(PROTOCOL)`."""
    try:
        fields = Fields.parse(body)
        if fields.has("models") and not fields.has("data"):
            talking = [each for each in fields.objects("models") if _can_talk(each)]
            return {each.text("name").removeprefix("models/"): _facts(each) for each in talking}
        return {each.text("id"): _facts(each) for each in fields.objects("data")}
    except ShapeError as error:
        raise UpstreamError(
            FailureKind.PROTOCOL, f"{account} gave no list of models.", f"Is the base URL right? {error}", provider=account
        ) from None


def shown(body: bytes, account: str) -> ModelFacts:
    """What Ollama tells of one model. Raises `UpstreamError(PROTOCOL)`."""
    try:
        fields = Fields.parse(body)
        able = fields.optional("capabilities", list[str])
        about = fields.optional_fields("model_info")
        kind = about.optional_text("general.architecture") if about else None
        window = about.optional(f"{kind}.context_length", int) if about and kind else None
    except ShapeError as error:
        raise UpstreamError(FailureKind.PROTOCOL, f"{account} told nothing of its model.", f"{error}", provider=account) from None
    if able is None:  # before version 0.6.4
        return ModelFacts(context_tokens=window)
    return ModelFacts(
        context_tokens=window, takes_tools="tools" in able, takes_images="vision" in able, thinks="thinking" in able
    )


def _facts(model: Fields) -> ModelFacts:
    """What a list's row says beside the name. A form that is not known says nothing, for lists are not worth an error."""
    try:
        able = model.optional("supported_parameters", list[str])
        kinds = model.optional_fields("architecture")
        seen = kinds.optional("input_modalities", list[str]) if kinds else None
        best = model.optional_fields("top_provider")
        return ModelFacts(
            context_tokens=_number(model, _WINDOWS),
            output_tokens=_number(model, _OUTPUTS) or (_number(best, _OUTPUTS) if best else None),
            takes_tools=None if able is None else "tools" in able,
            takes_images=None if seen is None else "image" in seen,
            thinks=None if able is None else "reasoning" in able,
        )
    except ShapeError:
        return ModelFacts()


def _number(fields: Fields, names: tuple[str, ...]) -> int | None:
    return next((found for name in names if (found := fields.optional(name, int)) is not None and found > 0), None)


def _can_talk(model: Fields) -> bool:
    """Is this one for conversations? Google's list has embedding and picture models too."""
    methods = model.optional("supportedGenerationMethods", list[str])
    return methods is None or "generateContent" in methods
