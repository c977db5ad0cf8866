"""A chat request from the items that count for one response, and its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from realtime.context import Context
from realtime.core.conversation import Conversation, Image, InputSpeech, Item, Message
from realtime.core.cut_text import size_of
from realtime.core.fitting import CHARACTERS_PER_TOKEN, size_of_tools
from realtime.core.history import WHOLE, Budget, ContextOverflow, history
from realtime.core.messages import ChatRequest, Tool
from realtime.core.shown_from import ShownFrom
from realtime.errors import ProtocolError, ProviderRejected
from realtime.protocol import objects as wire
from realtime.protocol.objects import ItemReference
from realtime.protocol.response_options import ResponseOptions
from realtime.protocol.session_config import ToolChoice
from realtime.replying.fitting_chat import KnownLimits
from realtime.translate import to_wire_item


def request_about(context: Context, options: ResponseOptions, items: Sequence[Item]) -> ChatRequest:
    """What the chat model of this session is asked about these items of its conversation, or of the response alone.

    Raises like `build_request`.
    """
    conversation, chat = context.conversation, context.providers.chat
    budget, shown = budget_of(options), _shown_from(context, options)
    if shown is not None:
        # As short as `FittingChat` would make it: what is left out there nobody remembers
        pictures = chat.sees_images and any(map(_has_picture, items[shown.place(items) :]))
        beside = size_of_tools(_tools(options))
        budget = known_limits(context).within(budget, chat, beside=beside, pictures=pictures)
    return build_request(
        options,
        items,
        sees_images=chat.sees_images,
        reasoning=conversation.reasoning,
        budget=budget,
        shown=shown,
    )


def known_limits(context: Context) -> KnownLimits:
    """Of the chat models of this session."""
    return KnownLimits(context.providers.context_budgets, context.picture_budgets)


def _shown_from(context: Context, options: ResponseOptions) -> ShownFrom | None:
    """What remembers where the model is shown the conversation from; None: nothing is remembered.

    A response beside the conversation, or by a rule that counts no more, reads it and moves nothing."""
    if options.input is not None or options.truncation.mode != "retention_ratio":
        return None
    shown = context.conversation.shown_from
    moves = not options.out_of_band and options.truncation == context.config.truncation
    return shown if moves else ShownFrom(shown.item_id)


def _has_picture(item: Item) -> bool:
    return isinstance(item, Message) and any(isinstance(part, Image) for part in item.parts)


def build_request(
    options: ResponseOptions,
    items: Sequence[Item],
    *,
    sees_images: bool,
    reasoning: Mapping[str, object] | None = None,
    budget: Budget | None = None,
    shown: ShownFrom | None = None,
) -> ChatRequest:
    """What a chat model is asked about these items. `reasoning`: see `Conversation`; `budget` None: as the options say.

    Raises ProviderRejected `context_length_exceeded` when they are too long and must not be shortened.
    """
    try:
        messages = history(
            items,
            options.instructions,
            sees_images=sees_images,
            budget=budget or budget_of(options),
            reasoning=reasoning,
            shown=shown,
        )
    except ContextOverflow as error:
        raise ProviderRejected(str(error), code="context_length_exceeded") from error
    choice = options.tool_choice
    return ChatRequest(
        messages,
        tools=_tools(options),
        tool_choice=choice.name if choice.name else choice.mode,
        parallel_tool_calls=options.parallel_tool_calls,
        max_output_tokens=options.max_output_tokens,
        temperature=options.temperature,
        reasoning_effort=options.reasoning_effort,
    )


def _tools(options: ResponseOptions) -> tuple[Tool, ...]:
    return tuple(Tool(tool.name, tool.description or "", tool.parameters) for tool in options.tools)


def budget_of(options: ResponseOptions) -> Budget:
    """How much of the conversation this response may show the model, and what to do with more."""
    truncation, characters = options.truncation, WHOLE.characters
    if truncation.post_instructions_tokens is not None:
        after = round(truncation.post_instructions_tokens * CHARACTERS_PER_TOKEN)
        characters = min(characters, size_of(options.instructions) + after)
    retention = truncation.retention_ratio if truncation.mode == "retention_ratio" else 1.0
    return Budget(characters, retention, truncation.mode != "disabled")


def again(options: ResponseOptions, items: Sequence[wire.Item], *, last: bool) -> ResponseOptions:
    """The options of the response that goes on after these calls and outputs. `last`: no more calls."""
    choice = ToolChoice(mode="none") if last else options.tool_choice
    if not last and choice.mode != "none":
        choice = ToolChoice()  # a tool that had to be called was called
    given = None if options.input is None else (*options.input, *items)
    return replace(options, tool_choice=choice, input=given, metadata=None)


def with_items(options: ResponseOptions, conversation: Conversation) -> ResponseOptions:
    """With the items themselves instead of references to them, as they are now: they may be deleted meanwhile. What has
    no text yet stays a reference: who asks waits for the text.

    Raises ProtocolError for a reference to an item that is not there.
    """
    if options.input is None:
        return options
    found = (_referred(item, number, conversation) for number, item in enumerate(options.input))
    return replace(options, input=tuple(found))


def _referred(
    item: wire.Item | ItemReference, number: int, conversation: Conversation
) -> wire.Item | ItemReference:
    if not isinstance(item, ItemReference):
        return item
    if item.id not in conversation:
        raise ProtocolError(
            f"Item '{item.id}' does not exist.",
            code="item_retrieve_invalid_item_id",
            param=f"response.input[{number}].id",
        )
    found = conversation.get(item.id)
    return item if is_unread(found) else to_wire_item(found)


def is_unread(item: Item) -> bool:
    """Whether there is speech in it whose text is not known, or never will be."""
    return isinstance(item, Message) and any(
        isinstance(part, InputSpeech) and part.transcript is None for part in item.parts
    )
