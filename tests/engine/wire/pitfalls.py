"""The catalogue of known pitfalls by its row numbers, and the rows that have no test here, each with the reason.

The catalogue gathers ways in which other gateways broke real clients. A test that covers a row bears its number in its own name
or in the name of its case, as `row_052` or `row-052`. The numbers have gaps of their own.
"""

from typing import Final

ROWS: Final = frozenset(
    {
        *range(1, 5), *range(6, 10), *range(11, 15), *range(16, 20),  # calls of tools in streams
        *range(21, 25), *range(26, 30), *range(31, 34),  # ends of streams
        34, *range(36, 40), *range(41, 45), *range(46, 50),  # results of tools
        *range(51, 55), *range(56, 60), *range(61, 65), *range(66, 70),  # reasoning
        *range(71, 75), *range(76, 80), *range(81, 85),  # tokens
        *range(86, 90), *range(91, 95), *range(96, 100), *range(101, 105), 106,  # framing and connections
        *range(107, 110), *range(111, 115), *range(116, 119),  # errors and retries
        119, *range(121, 125), *range(126, 130), *range(131, 135), *range(136, 140), *range(141, 145), 146, 147,  # Messages
        148, 149, *range(151, 155), *range(156, 160), *range(161, 165), 166, 167,  # Responses
        *range(168, 170), *range(171, 175), *range(176, 180),  # Gemini
        *range(181, 185), *range(186, 190),  # Bedrock
        *range(191, 195), *range(196, 200), *range(201, 205),  # Azure, Databricks, OpenRouter, local servers and others
        *range(206, 210),  # caches and secrets
    }
)  # fmt: skip

NOT_TESTED: Final[dict[int, str]] = {
    84: "Usage stands inside the event that ends an answer. Where a server leaves it out there, nothing is waited for: a "
    "connection that stays open would hold a whole answer back. The tokens are estimated, and marked so.",
    143: "Tokens are never counted at Bedrock: it has no such endpoint in Converse's form. They are estimated.",
    179: "A cached content is only ever named by a client of Google's own wire, whose request goes out as it came.",
    198: "LM Studio is spoken to in Chat Completions, where its versions reuse prefixes.",
    199: "Schemas go to Moonshot as they are; no rule of it that other vendors lack has been seen on a real answer yet.",
    208: "No form ever shows a key, masked or not: an entered key goes to the keychain, and the field stays empty.",
}
