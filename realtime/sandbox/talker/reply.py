"""The scripted talker: its answer to a conversation. Pure: the same input always gets the same answer.

Knows intents and their order of precedence. Does not know the wire, tokens or clocks.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import memory, stories
from .clock import tell_time
from .going_on import asks_to_go_on, rest_of
from .language import Language, language_of, sentence, sentences_of, words_of
from .results import answer_results
from .sums import answer_sum, find_count, find_sum
from .tools import Call, plan_calls

Message = Mapping[str, Any]
NAME = "MiniMax AI"
MAX_ECHOED_WORDS, MAX_ECHOED_HAN = 40, 60
MAX_CHARACTERS = 3000  # of one message
BEFORE_CALLS = {
    "en": "Of course, let me look that up for you, one moment please.",
    "zh": "好的，我来帮你查一下，请稍等。",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """Text or tool calls, or a sentence before the calls; `thought` is the text of the thinking block."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    thought: str = ""


@dataclass(frozen=True, slots=True)
class _Conversation:
    """The conversation so far, as plain text."""

    system: str
    users: tuple[str, ...]
    answers: tuple[str, ...]

    @property
    def last(self) -> str:
        return self.users[-1] if self.users else ""


def text_of(message: Message) -> str:
    """The text of a message whose content is a string, a list of parts or missing; without old thinking."""
    content = message.get("content")
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, Mapping))
        content = " ".join(part for part in parts if isinstance(part, str))
    text = content if isinstance(content, str) else ""
    if message.get("role") == "assistant":
        text = re.sub(r"<think>.*?(?:</think>|$)", "", text, flags=re.DOTALL)
    return text.strip()


def _limited_text(message: Message) -> str:
    """The beginning of a message; the rest of a very long one is ignored."""
    return text_of(message)[:MAX_CHARACTERS]


def reply(
    messages: Sequence[Message],
    tools: Sequence[Message],
    now: datetime,
    *,
    tool_choice: Any = "auto",
    parallel: bool = True,
    announces: bool = False,
) -> Reply:
    """Answer the conversation. `tools` are OpenAI function tools; `now` is the time of the answer; `announces`: it says
    a sentence before it calls."""
    conversation = _Conversation(
        "\n".join(
            _limited_text(m) for m in messages if m.get("role") in ("system", "developer", "user_system")
        ),
        tuple(_limited_text(m) for m in messages if m.get("role") == "user"),
        tuple(_limited_text(m) for m in messages if m.get("role") == "assistant"),
    )
    language = _language(conversation)
    thought = _thought(conversation.last, language)
    if _has_results(messages):
        return Reply(answer_results(messages, language), thought=thought)
    if rest := _rest(messages, now, language):
        return Reply(rest, thought=thought)
    if tools and tool_choice != "none":
        plan = plan_calls(messages, tools, tool_choice, _limited_text)
        if plan.calls:
            text = BEFORE_CALLS[language] if announces else ""
            return Reply(text, plan.calls if parallel else plan.calls[:1], thought)
        if plan.question:
            return Reply(plan.question, thought=thought)
    text, short = _answer(conversation, language, now)
    return Reply(_follow_instructions(text, short, conversation, language), thought=thought)


def _has_results(messages: Sequence[Message]) -> bool:
    """Whether the newest question has results already: calling again would repeat the same calls for ever."""
    since = itertools.takewhile(lambda m: m.get("role") != "user", reversed(messages))
    return any(m.get("role") == "tool" for m in since)


def _rest(messages: Sequence[Message], now: datetime, language: Language) -> str | None:
    """What is left of the last answer, if it was cut and the user wants to hear the rest."""
    if [m.get("role") for m in messages[-2:]] != ["assistant", "user"]:
        return None
    if not asks_to_go_on(_limited_text(messages[-1])):
        return None
    return rest_of(reply(messages[:-2], (), now).text, text_of(messages[-2]), language)


_IN_LANGUAGE = re.compile(
    r"\b(?:speak|answer|reply|respond|talk)\b[^.]*?\b(?:in|only) (?:\w+ )?(english|chinese|mandarin)\b(?! (?:and|or))",
    re.I,
)


def _language(conversation: _Conversation) -> Language:
    if ordered := _IN_LANGUAGE.search(conversation.system):
        return "en" if ordered[1].lower() == "english" else "zh"
    return language_of(conversation.last or conversation.system)


def _thought(last: str, language: Language) -> str:
    if language == "zh":
        return f"用户说：“{last}”。我应该用中文简短地回答。"
    return f'The user says: "{last}". I should answer briefly, in spoken words.'


_EXACTLY = re.compile(
    r"\b(?:say|reply|respond|answer)(?: only| exactly| just| with)*(?: the words?)?:? [\"“'](.+?)[\"”']",
    re.I,
)
_ENDING = re.compile(
    r"\bend (?:every|each|all|your) (?:\w+ )?(?:answers?|repl(?:y|ies)|responses?|sentences?) with "
    r"(?:the words? )?[\"“']?([\w ]+)",
    re.I,
)
_ONE_WORD = re.compile(r"\b(?:one|a single) word\b|一个词", re.I)
_CONDITION = re.compile(r"\b(?:when|whenever|if|unless)\b", re.I)


def _follow_instructions(text: str, short: str, conversation: _Conversation, language: Language) -> str:
    """Apply the few instructions that it can follow: exact words, one word, a closing word."""
    for rule in sentences_of(conversation.system):
        if (exact := _EXACTLY.search(rule)) and not _CONDITION.search(rule):
            return exact[1]
    if _ONE_WORD.search(conversation.system) or _ONE_WORD.search(conversation.last):
        return sentence(short or _one_word(text), language)
    ending = _ENDING.search(conversation.system)
    return f"{text} {sentence(ending[1])}" if ending else text


def _one_word(text: str) -> str:
    words = words_of(text)
    return words[0] if words else text


def _answer(conversation: _Conversation, language: Language, now: datetime) -> tuple[str, str]:
    """The text and, if there is one, its single most important word."""
    last = conversation.last
    plain = last.lower().replace("’", "'")
    if not plain.strip(" .,!?。，！？…"):
        return _opening(conversation, language), ""
    if again := _quote(plain, conversation, language):
        return again, ""
    if echo := _repeat(last, language):
        return echo, ""
    if count := find_count(last, language):
        return count, ""
    if found := find_sum(last):
        return answer_sum(found, language)
    facts = {**memory.facts_of_system(conversation.system), **memory.facts_in(conversation.users)}
    if known := memory.answer_question(last, facts):
        return known
    if clock := tell_time(plain, now, language):
        return clock
    if story := stories.find_story(last, language):
        return story, ""
    if re.search(r"\bjokes?\b|\bmake me laugh\b|笑话", plain):
        return stories.joke(language, stories.jokes_told(list(conversation.answers))), ""
    if re.search(r"\bpoem\b|\bpoetry\b|诗", plain):
        return stories.poem(language), ""
    if about := stories.about_self(last, language, _own_name(conversation.system)):
        return about, ""
    if statement := memory.answer_statement(memory.facts_in([last]), language):
        return statement, ""
    return _small_talk(plain, language) or _default(last, language), ""


def _own_name(system: str) -> str:
    match = re.search(
        r"\b[Yy]our name is ([A-Z]\w+)|\b[Yy]ou are (?:called |named )?([A-Z]\w+)\b|"
        r"你(?:的名字)?(?:叫|是)(\w{1,4}?)(?=[，。,.]|$)",
        system,
    )
    return next((group for group in match.groups() if group), NAME) if match else NAME


def _opening(conversation: _Conversation, language: Language) -> str:
    if conversation.users:
        return (
            "我没有听到内容，请再说一遍。"
            if language == "zh"
            else "I did not hear anything. Please say it again."
        )
    name = _own_name(conversation.system)
    return (
        f"你好，我是{name}。有什么可以帮你？"
        if language == "zh"
        else f"Hello, I am {name}. How can I help you?"
    )


def _quote(plain: str, conversation: _Conversation, language: Language) -> str | None:
    """An earlier message of either side, word for word."""
    if re.search(
        r"\bwhat (?:did|have) i (?:just )?(?:say|said|ask|asked|tell|told)\b|我(?:刚才|刚刚)?说了?什么", plain
    ):
        before = conversation.users[-2] if len(conversation.users) > 1 else ""
        if language == "zh":
            return f"你刚才说：{sentence(before, 'zh')}" if before else "你还没有说过别的话。"
        return f"You said: {sentence(before)}" if before else "You have not said anything else yet."
    if re.search(
        r"\bwhat (?:did|have) you (?:just )?(?:say|said)\b|\brepeat yourself\b|"
        r"\b(?:say|repeat) (?:that|it)(?: again| once more|\W*$)|"
        r"你(?:刚才|刚刚)?说了?什么|再说一[遍次]",
        plain,
    ):
        before = conversation.answers[-1] if conversation.answers else ""
        if language == "zh":
            return f"我刚才说：{sentence(before, 'zh')}" if before else "我还没有说过什么。"
        return f"I said: {sentence(before)}" if before else "I have not said anything yet."
    return None


_REPEAT = re.compile(
    r"^(?:(?:please|hey|hello|hi|ok|okay|now|well|just|then|and|can you|could you|would you|will you|"
    r"i want you to)[,.!]?\s+)*"
    r"(?:say|repeat after me|repeat|echo|read aloud|read out)\b(?: after me)?(?: (?:the|this|these) (?:following )?"
    r"(?:words?|sentences?|phrases?|text|line))?\s*[:.,]*\s*[\"“']?(.+?)[\"”']?$",
    re.I | re.DOTALL,
)
_REPEAT_ZH = re.compile(
    r"^(?:请|麻烦)?(?:你|您)?(?:跟我念|跟我说|跟着我说|跟我读|重复(?:一[遍下])?|说|念|读)(?:一[遍下句])?[:：，,]?\s*[“\"]?(.+?)[”\"]?$"
)
_NOT_REPEATED = re.compile(
    r"^(?:something|anything|a (?:joke|story|poem|few)|it|that|more|个|一个|什么|点|些|故事|笑话)\b", re.I
)
_NOT_REPEATED_ZH = re.compile(r"^(?:个|一个|什么|点|些|故事|笑话|说|得|不)|(?:笑话|故事|什么|吗)[。？?]?$")


def _repeat(last: str, language: Language) -> str | None:
    match = (_REPEAT_ZH if language == "zh" else _REPEAT).match(last.strip()) or _REPEAT.match(last.strip())
    if match is None or not match[1].strip(" .!?"):
        return None
    quoted = re.search(r"[\"“](.+?)[\"”]", last)
    words = quoted[1] if quoted else re.sub(r",?\s+please[.!]?$", "", match[1].strip(), flags=re.I)
    if re.match(r"(?:please )?(?:can|could|would|will) you\b", last, re.I):
        words = words.rstrip("?")
    if _NOT_REPEATED.match(words) or (language == "zh" and _NOT_REPEATED_ZH.search(words)):
        return None
    return sentence(words, language)


_SMALL_TALK: tuple[tuple[str, str, str], ...] = (
    (
        r"\bhow are you\b|\bhow's it going\b|\bhow do you do\b|你好吗|你怎么样",
        "I am well, thank you. How are you?",
        "我很好，谢谢。你呢？",
    ),
    (
        r"\b(?:good ?bye|bye(?: bye)?|see you|good night)\b|再见|拜拜|晚安",
        "Goodbye. It was nice talking with you.",
        "再见，很高兴和你聊天。",
    ),
    (r"\bthank(?:s| you)\b|谢谢|多谢", "You are welcome.", "不客气。"),
    (
        r"^(?:hello|hi|hey|hiya|good (?:morning|afternoon|evening|day)|greetings)\b"
        r"(?:\W+(?:there|again|everyone|you|computer|minimax|ai|hello|hi))*\W*$|"
        r"^(?:你好|您好|嗨|哈喽|早上好|下午好|晚上好|大家好)[呀啊，。！!. ]*$",
        "Hello. How can I help you?",
        "你好，有什么可以帮你？",
    ),
    (
        r"\b(?:can|do) you hear me\b|\btesting\b|听得到我|能听到|听得见",
        "Yes, I can hear you.",
        "听得到，请说。",
    ),
    (
        r"^(?:stop|wait|hold on|be quiet|quiet|never ?mind|cancel)\b[\w ,]*\W*$|^(?:停|等一下|等等|别说了|闭嘴|算了)",
        "All right, I have stopped.",
        "好的，我停下了。",
    ),
    (
        r"\b(?:greet|say hello to|welcome) (?:the |our )?(?:user|guest|caller)\b",
        "Hello. How can I help you?",
        "你好，有什么可以帮你？",
    ),
)


def _small_talk(plain: str, language: Language) -> str | None:
    for pattern, english, chinese in _SMALL_TALK:
        if re.search(pattern, plain.strip()):
            return chinese if language == "zh" else english
    return None


_QUESTION = re.compile(
    r"^(?:what|who|where|when|why|how|which|is|are|do|does|did|can|could|will|would|should)\b|\?\s*$|？\s*$|吗[。？]?$"
)


def _default(last: str, language: Language) -> str:
    """Repeat the user's words, and say so if the talker does not know an answer."""
    echo = _shortened(last, language)
    question = _QUESTION.search(last.lower().strip()) is not None
    if language == "zh":
        if question:
            return f"你问的是：{sentence(echo, 'zh').rstrip('。')} 这个我在沙盒里回答不了。".replace(
                "？ ", "？"
            )
        return f"我听到你说：{sentence(echo, 'zh')}"
    if question:
        return f"You asked: {sentence(echo)} I am only the sandbox's talker, so I do not know."
    return f"I heard you say: {sentence(echo)}"


def _shortened(text: str, language: Language) -> str:
    text = " ".join(text.split())
    if language == "zh":
        return text if len(text) <= MAX_ECHOED_HAN else text[:MAX_ECHOED_HAN].rstrip("，。、") + "……"
    words = text.split(" ")
    if len(words) <= MAX_ECHOED_WORDS:
        return text
    kept = " ".join(words[:MAX_ECHOED_WORDS])
    whole = sentences_of(kept)
    return " ".join(whole[:-1]) if len(whole) > 1 else kept.rstrip(",;:")
