"""A refusal as too long: asked again, shorter, within the same turn; remembered; and clear where nothing helps."""

from dataclasses import replace

import pytest

from realtime.core.context_budgets import ContextBudgets
from realtime.core.fitting import Budget
from realtime.core.messages import ChatFinish, ChatMessage, ChatRequest, TextDelta, Tool
from realtime.errors import ProviderError, ProviderRejected, ProviderUnavailable
from realtime.providers.base import ChatModel
from realtime.replying.fitting_chat import MAX_REFUSALS, FittingChat, KnownLimits
from tests.conversing import Talk, scripted

MINIMAX = "MiniMax: the conversation is too long (code 2013). It said: context window exceeds limit (2013)"


class SmallChat(ChatModel):
    """Refuses what is longer than `takes` characters; `asked` has the length of each request."""

    name = "small"

    def __init__(self, takes: int, message: str = MINIMAX, **error) -> None:
        self.takes, self.message, self.error = takes, message, {"code": "context_length_exceeded", **error}
        self.asked: list[int] = []
        self.running = 0

    async def stream(self, request: ChatRequest):
        self.asked.append(sum(len(message.content) for message in request.messages))
        if self.asked[-1] > self.takes:
            numbers = self.message.format(limit=self.takes, asked=self.asked[-1])
            raise ProviderRejected(numbers, **self.error)
        yield TextDelta(request.messages[-1].content[:20])
        yield ChatFinish("stop")


def request(*texts: str, instructions: str = "Be brief.") -> ChatRequest:
    return ChatRequest((ChatMessage("system", instructions), *(ChatMessage("user", text) for text in texts)))


async def answer(chat: ChatModel, asked: ChatRequest, budgets=None, **budget) -> str:
    limits = budgets if isinstance(budgets, KnownLimits) else KnownLimits(budgets or ContextBudgets())
    fitting = FittingChat(chat, limits, Budget(**budget))
    return "".join([event.text async for event in fitting.stream(asked) if isinstance(event, TextDelta)])


OLD = ["x" * 1_000 for _ in range(300)]


@pytest.mark.parametrize("takes", [250_000, 100_000, 40_000, 9_000, 2_500, 600])
async def test_the_same_turn_is_answered_whatever_the_model_takes(takes):
    chat = SmallChat(takes)
    assert await answer(chat, request(*OLD, "And now?")) == "And now?"
    assert 2 <= len(chat.asked) <= MAX_REFUSALS + 1
    assert chat.asked == sorted(chat.asked, reverse=True)


async def test_what_was_learnt_counts_for_the_next_turn_and_the_next_conversation():
    chat, budgets = SmallChat(100_000), ContextBudgets()
    await answer(chat, request(*OLD, "One?"), budgets)
    refused = len(chat.asked) - 1
    await answer(chat, request(*OLD, "One?", "Two?"), budgets)
    await answer(chat, request(*OLD * 2, "Three?"), budgets)
    assert len(chat.asked) == refused + 3
    assert refused == 2


async def test_the_numbers_of_a_refusal_are_used():
    told = "This model's maximum context length is {limit} tokens. However, you requested {asked} tokens."
    chat = SmallChat(20_000, told)
    await answer(chat, request(*OLD, "And now?"))
    assert len(chat.asked) == 2
    assert chat.asked[1] > 15_000


async def test_a_body_that_is_too_large_is_shortened_too():
    chat = SmallChat(100_000, "too large", code="upstream_rejected", upstream_code=413)
    assert await answer(chat, request(*OLD, "And now?")) == "And now?"


class SmallBody(ChatModel):
    """Like a gateway: HTTP 413 for a body of more than `takes` bytes; `asked` has the number of messages."""

    name = "small"
    sees_images = True

    def __init__(self, takes: int, **error) -> None:
        self.takes, self.error = takes, error or {"code": "upstream_rejected", "upstream_code": 413}
        self.asked: list[int] = []

    async def stream(self, request: ChatRequest):
        self.asked.append(len(request.messages))
        if sum(len(each.content) + sum(map(len, each.images)) for each in request.messages) > self.takes:
            raise ProviderRejected("Request Entity Too Large (HTTP 413)", **self.error)
        yield TextDelta("Nice.")
        yield ChatFinish("stop")


def pictures(count: int, size: int = 1_000_000) -> ChatRequest:
    image = "data:image/png;base64," + "A" * size
    return ChatRequest(tuple(ChatMessage("user", str(n), images=(image,)) for n in range(count)))


async def test_a_body_that_is_too_large_leaves_the_context_of_all_as_it_is():
    chat, budgets = SmallBody(5_000_000), ContextBudgets()
    await answer(chat, pictures(9), budgets)
    assert chat.asked == [9, 4]
    assert budgets.of("small") == ContextBudgets().of("small")
    await answer(chat, request(*OLD, "And now?"), budgets)
    assert chat.asked[2:] == [len(OLD) + 2], "nothing is left out for want of bytes"
    await answer(chat, pictures(20), budgets)
    assert chat.asked[3:] == [4], "the limit of a body is met once"


async def test_the_tokens_of_pictures_are_learnt_for_the_pictures_of_their_own_session_alone():
    chat, budgets = SmallBody(5_000_000, code="context_length_exceeded"), ContextBudgets()
    here, there = KnownLimits(budgets), KnownLimits(budgets)
    await answer(chat, pictures(9), here)
    assert chat.asked == [9, 4]
    await answer(chat, pictures(9), here)
    assert chat.asked[2:] == [4]
    await answer(chat, request(*OLD, "And now?"), here)
    with_one = ChatRequest((*request(*OLD).messages, *pictures(1).messages))
    await answer(chat, with_one, there)
    assert chat.asked[3:] == [len(OLD) + 2] * 2


async def test_a_picture_alone_that_is_too_large_is_one_clear_error_and_teaches_nothing():
    chat, budgets = SmallBody(500_000), ContextBudgets()
    with pytest.raises(ProviderRejected, match="shorten the instructions"):
        await answer(chat, pictures(3), budgets)
    assert budgets.body_of("small") is None


async def test_a_book_in_the_last_message_is_cut():
    chat = SmallChat(5_000)
    assert (await answer(chat, request("hello " * 30_000))).startswith("hello")


async def test_without_leave_to_shorten_the_error_says_what_to_do():
    chat, budgets = SmallChat(100_000), ContextBudgets()
    with pytest.raises(ProviderRejected, match="delete items, or set truncation to 'auto'") as refused:
        await answer(chat, request(*OLD, "And now?"), budgets, may_drop=False)
    assert refused.value.code == "context_length_exceeded"
    assert len(chat.asked) == 1
    assert await answer(chat, request("Hi"), budgets, may_drop=False) == "Hi"


async def test_instructions_that_do_not_fit_are_one_clear_error_and_teach_nothing():
    chat, budgets = SmallChat(5_000), ContextBudgets()
    with pytest.raises(ProviderRejected, match="shorten the instructions") as refused:
        await answer(chat, request(*OLD, "Hi", instructions="y" * 6_000), budgets)
    assert refused.value.code == "context_length_exceeded"
    assert len(chat.asked) <= MAX_REFUSALS + 1
    assert budgets.of("small") == ContextBudgets().of("small")
    assert await answer(chat, request("Hi"), budgets) == "Hi"


async def test_a_model_that_refuses_everything_is_asked_a_limited_number_of_times():
    chat = SmallChat(-1)
    with pytest.raises(ProviderRejected):
        await answer(chat, request(*OLD, "Hi"))
    assert len(chat.asked) <= MAX_REFUSALS + 1


@pytest.mark.parametrize(
    "error",
    [ProviderUnavailable("away"), ProviderRejected("no"), ProviderRejected("no", code="content_filter")],
)
async def test_other_errors_pass(error: ProviderError):
    class Failing(ChatModel):
        name = "failing"

        async def stream(self, request):
            raise error
            yield

    with pytest.raises(ProviderError) as raised:
        await answer(Failing(), request(*OLD))
    assert raised.value is error


async def test_a_refusal_in_the_middle_of_an_answer_is_not_repeated():
    class Breaking(ChatModel):
        name = "breaking"

        async def stream(self, request):
            yield TextDelta("Well,")
            raise ProviderRejected(MINIMAX, code="context_length_exceeded")

    with pytest.raises(ProviderRejected, match="2013"):
        await answer(Breaking(), request(*OLD))


async def test_a_published_context_is_kept_from_the_first_turn_on():
    chat = SmallChat(50_000)
    chat.context_tokens = 20_000
    await answer(chat, request(*OLD, "And now?"))
    assert len(chat.asked) == 1


@scripted
async def test_a_conversation_goes_on_after_the_limit_of_its_model():
    chat = SmallChat(30_000)
    async with Talk(chat=chat) as talk:
        for number in range(6):
            await talk.ask(f"{number} " + "x" * 12_000, output_modalities=["text"])
            assert (await talk.until("response.done", number + 1))["response"]["status"] == "completed"
        await talk.ask("And now?")
        assert (await talk.until("response.done", 7))["response"]["status"] == "completed"
        assert sum(asked > 30_000 for asked in chat.asked) == 1, "the limit was met once"


@scripted
async def test_a_disabled_truncation_fails_one_response_and_the_session_lives():
    chat = SmallChat(30_000)
    async with Talk(chat=chat, truncation="disabled") as talk:
        await talk.ask("x" * 40_000)
        details = (await talk.until("response.done"))["response"]["status_details"]
        assert details["error"]["code"] == "context_length_exceeded"
        assert "truncation" in details["error"]["message"]
        book = talk.of("conversation.item.added")[0]["item"]["id"]
        await talk.send("conversation.item.delete", item_id=book)
        await talk.ask("Hi")
        assert (await talk.until("response.done", 2))["response"]["status"] == "completed"


class ChatWithTools(SmallChat):
    """Counts the tools as well."""

    async def stream(self, request: ChatRequest):
        tools = "".join(tool.description for tool in request.tools)
        whole = replace(request, messages=(ChatMessage("system", tools), *request.messages), tools=())
        async for event in super().stream(whole):
            yield event


async def test_the_tools_of_one_client_leave_the_context_of_the_others_as_it_is():
    chat, budgets = ChatWithTools(100_000), ContextBudgets()
    tools = tuple(Tool(f"f{number}", "d" * 9_000, {}) for number in range(10))
    await answer(chat, replace(request(*OLD, "One?"), tools=tools), budgets)
    learnt = len(chat.asked)
    await answer(chat, request(*OLD, "Two?"), budgets)
    assert chat.asked[learnt] > 90_000
    assert len(chat.asked) == learnt + 1
    await answer(chat, replace(request(*OLD, "Three?"), tools=tools), budgets)
    assert len(chat.asked) == learnt + 2
