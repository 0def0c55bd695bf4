"""What clients may ask of the demo model. Unknown fields pass, as with the real APIs; wrong ones do not."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

Count: TypeAlias = Annotated[int, Meta(ge=1, le=100_000)]
Temperature: TypeAlias = Annotated[float, Meta(ge=0, le=2)]
Text: TypeAlias = Annotated[str, Meta(min_length=1)]


class Part(Struct):
    """A piece of a message; only text is read."""

    type: str
    text: str = ""


class Message(Struct):
    """One turn of a conversation. A tool's result and a mere call of a tool are turns, too."""

    role: str = "user"
    content: str | list[Part] | None = None
    type: str = "message"
    output: str = ""

    @property
    def text(self) -> str:
        """The turn's text, whatever shape it came in."""
        if isinstance(self.content, list):
            return " ".join(part.text for part in self.content)
        return self.content or self.output

    @property
    def is_tool_result(self) -> bool:
        """A tool answered: now the model speaks."""
        return (
            self.role == "tool"
            or self.type == "function_call_output"
            or (isinstance(self.content, list) and any(part.type == "tool_result" for part in self.content))
        )


Messages: TypeAlias = Annotated[list[Message], Meta(min_length=1)]
Choice: TypeAlias = str | dict[str, Any] | None


class Function(Struct):
    """A tool, as chat completions nest it and as responses and messages spread it."""

    name: Annotated[str, Meta(min_length=1)]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    input_schema: dict[str, Any] | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the arguments."""
        return self.parameters or self.input_schema or {}


class ChatTool(Struct):
    """A tool offered to chat completions."""

    function: Function
    type: Literal["function"] = "function"


class StreamOptions(Struct):
    """What to send beside the chunks."""

    include_usage: bool = False


class _Sampled(Struct, kw_only=True):
    model: str
    stream: bool = False
    temperature: Temperature | None = None
    seed: int | None = None


class Chat(_Sampled, kw_only=True):
    """``POST /v1/chat/completions``."""

    messages: Messages
    stream_options: StreamOptions | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    tools: list[ChatTool] = []
    tool_choice: Choice = None
    n: Annotated[int, Meta(ge=1, le=8)] = 1
    stop: str | list[str] | None = None


class Completion(_Sampled, kw_only=True):
    """``POST /v1/completions``."""

    prompt: str | list[str] = ""
    stream_options: StreamOptions | None = None
    max_tokens: Count | None = None
    n: Annotated[int, Meta(ge=1, le=8)] = 1
    stop: str | list[str] | None = None


class Response(_Sampled, kw_only=True):
    """``POST /v1/responses``."""

    input: Text | Messages
    instructions: str | None = None
    max_output_tokens: Count | None = None
    tools: list[Function] = []
    tool_choice: Choice = None


class AnthropicMessages(_Sampled, kw_only=True):
    """``POST /v1/messages``, the shape of Anthropic's API."""

    messages: Messages
    max_tokens: Count
    system: str | list[Part] | None = None
    tools: list[Function] = []
    tool_choice: Choice = None
    stop_sequences: list[str] = []


class Embedding(Struct):
    """``POST /v1/embeddings``."""

    model: str
    input: Text | Annotated[list[Text], Meta(min_length=1, max_length=2048)]
    encoding_format: Literal["float", "base64"] = "float"
