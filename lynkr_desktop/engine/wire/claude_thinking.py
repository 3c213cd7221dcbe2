"""What of a request's thinking a model of Anthropic takes, wherever it runs: its form, and the reasoning in the history. Pure."""

from typing import Final

from lynkr_desktop.engine.chat.request import ChatRequest, Part, Thinking, ThinkingPart, ToolResultPart
from lynkr_desktop.engine.wire.contract import Quirks
from lynkr_desktop.engine.wire.naming import is_foreign

LEAST_BUDGET: Final = 1024  # tokens: Anthropic's own limit
MOST_BUDGET: Final = 32_000  # tokens, for the greatest efforts
_BUDGETS: Final = {"low": 4096, "medium": 10_000, "high": 16_000}


def is_unsigned(part: Part) -> bool:
    """Is this reasoning that Anthropic would refuse, for want of its signature or for having another vendor's?"""
    return isinstance(part, ThinkingPart) and not part.redacted and (not part.signature or is_foreign(part.signature))


def lacks_thinking(request: ChatRequest) -> bool:
    """Does a tool's result answer a call of a model that did not think, while thinking is asked for? Anthropic refuses that.

    It happens where the turn began with another provider's model.
    """
    if request.thinking is None or request.thinking.budget_tokens is None or not request.messages:
        return False
    if not any(isinstance(part, ToolResultPart) for part in request.messages[-1].parts):
        return False
    asked = next((message for message in reversed(request.messages) if message.role == "assistant"), None)
    first = next((part for part in asked.parts if not is_unsigned(part)), None) if asked else None
    return asked is not None and not isinstance(first, ThinkingPart)


def is_forced(request: ChatRequest) -> bool:
    """Must a tool be called while thinking is asked for? Anthropic refuses the two together."""
    thinking, choice = request.thinking, request.tool_choice
    thinks = thinking is not None and thinking.is_enabled and (thinking.is_adaptive or thinking.budget_tokens is not None)
    return thinks and choice is not None and choice.mode in {"required", "named"}


def fitted(thinking: Thinking | None, max_tokens: int | None, quirks: Quirks) -> Thinking | None:
    """What was asked of thinking in the form that the model takes; None where it takes none of it.

    A budget must leave room for the answer, and Anthropic's least is 1024 tokens.
    """
    if thinking is None or not thinking.is_enabled:
        return thinking
    effort = thinking.effort if quirks.takes_output_effort else None
    if not quirks.thinking_form and effort == thinking.effort:
        return thinking
    form, budget, is_adaptive = quirks.thinking_form, thinking.budget_tokens, thinking.is_adaptive
    if form == "adaptive" and budget is not None:
        budget, is_adaptive = None, True
    elif form == "budget" and is_adaptive:
        budget = min(_BUDGETS.get(thinking.effort or "high", MOST_BUDGET), (max_tokens or 0) // 2)
        is_adaptive = False
        budget = budget if budget >= LEAST_BUDGET else None
    elif form == "none":
        budget, is_adaptive = None, False
    if budget is None and not is_adaptive and effort is None:
        return None
    return Thinking(is_enabled=True, budget_tokens=budget, effort=effort, is_adaptive=is_adaptive)
