"""The five classes and the kinds inside them, as people read them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClassWords:
    """One of the five classes, and the kinds inside it with a label each."""

    code: str
    title: str
    text: str
    kinds: dict[str, str]


CLASSES = (
    ClassWords(
        "T1",
        "Restrict users",
        "The users, organisations, keys, regions or tiers you name are refused, or alone are served.",
        {
            "block": "Block those you name",
            "allow": "Serve only those you name",
            "exempt": "Exempt from other corrections",
        },
    ),
    ClassWords(
        "T2",
        "Limit how often",
        "What goes beyond a number is refused and may be tried again later.",
        {
            "request_limit": "Limit requests per window",
            "token_limit": "Limit tokens per window",
            "concurrency_limit": "Limit requests at the same time",
            "turn_limit": "Limit turns of a conversation",
        },
    ),
    ClassWords(
        "T3",
        "Restrict capabilities",
        "The model goes on answering, but can do less.",
        {
            "tools_off": "Switch tools off",
            "feature_off": "Switch features off",
            "output_cap": "Cap the length of answers",
            "input_cap": "Cap the length of requests",
            "loop_cap": "Cap the steps of an agent",
            "input_filter": "Filter what is sent",
            "output_filter": "Filter answers",
            "classifier": "Ask a classifier",
            "system_prompt": "Change the instructions of the model",
            "downgrade": "Answer with a weaker or older model",
        },
    ),
    ClassWords(
        "T4",
        "Forbid a use",
        "One use case, application or endpoint is refused; other uses go on.",
        {"forbid_use": "Forbid the use", "require_use": "Ask for a declared use case"},
    ),
    ClassWords(
        "T5",
        "Shut down",
        "The model stops answering, or a fallback model answers in its place.",
        {
            "suspend": "Suspend the model",
            "halt": "Halt: end running answers too",
            "market_removal": "Withdraw from a platform",
            "decommission": "Decommission: for good",
            "reroute": "Answer with a fallback model",
        },
    ),
)
CLASS_OF = {kind: words for words in CLASSES for kind in words.kinds}
KIND_LABELS = {kind: label for words in CLASSES for kind, label in words.kinds.items()}
FEATURE_LABELS = {
    "streaming": "streaming",
    "web_search": "web search",
    "code_execution": "code execution",
    "file_search": "file search",
    "computer_use": "computer use",
    "mcp": "MCP servers",
    "memory": "memory",
    "logprobs": "log probabilities",
}
