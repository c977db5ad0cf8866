"""In which language a word is read again that was said during a conversation."""

import pytest

from realtime.core.conversation import FunctionCall, Image, InputSpeech, Message, OutputSpeech, Text
from realtime.core.short_language import is_written_in, likelier, newest_text, said_by_assistant, script_of

ENGLISH, CHINESE, RUSSIAN = "Once there was a dog.", "很久以前，有一只小狗。", "Жила-была собака."


@pytest.mark.parametrize(
    ("found", "text", "talked", "language"),
    [
        ("ar", "يح", ENGLISH, "en"),
        ("ru", "Панни!", CHINESE, "zh"),
        ("ja", "ドイドイ", CHINESE, "zh"),
        ("ko", "민발", CHINESE, "zh"),
        ("ja", "はい", "昔々、犬がいました。", None),
        ("ko", "네", "옛날에 개가 있었어요.", None),
        ("ja", "しだ", "옛날에 개가 있었어요.", "ko"),
        ("ar", "يح", RUSSIAN, "ru"),
        ("ru", "Да.", RUSSIAN, None),
        ("de", "Ja.", ENGLISH, None),  # the same script: nothing tells that it is wrong
        ("en", "Light.", CHINESE, None),  # expected of everybody
        ("zh", "等一下", ENGLISH, None),
        ("zh", "shu'er", ENGLISH, "en"),  # Chinese is not written so
        ("zh", "stop", ENGLISH, None),  # a command, whatever the language
        ("fr", "Stop.", CHINESE, None),
        ("ja", "待って", ENGLISH, None),
        ("fr", "Oui.", CHINESE, "zh"),
        ("zh", "OK", ENGLISH, None),  # a murmur, written as in Chinese
        ("zh", "c", RUSSIAN, None),  # the letters do not tell that it is Russian
        ("zh", "iPhone 好", ENGLISH, None),
        ("zh", "は", "昔々、犬がいました。", "ja"),
        ("zh", "ＣＡＴ", ENGLISH, "en"),
        ("zh", "ＯＫ", ENGLISH, None),
        ("zh", "OK", CHINESE, None),
        ("fr", "OK", CHINESE, "zh"),
        ("zh", "7", ENGLISH, None),
        ("en", "灯", CHINESE, "zh"),
        ("en", "Сон.", RUSSIAN, "ru"),
        ("en", "灯", RUSSIAN, None),
        ("ar", "يح", "", None),
        ("ar", "يح", "2 + 3", None),
        ("ar", "يح", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", None),  # a script of which no language is sure
        (None, "", ENGLISH, None),
    ],
)
def test_a_script_that_nobody_used_here_is_doubted(found, text, talked, language):
    assert likelier(found, text, spoken=(), talked=talked) == language


def test_what_this_speaker_spoke_is_likely():
    assert likelier("ar", "نعم", spoken=("ar",), talked=ENGLISH) is None
    assert likelier("ar", "نعم", spoken=("ja", "ru"), talked=ENGLISH) == "en"
    assert likelier("ar", "نعم", spoken=("en", "fr"), talked="Il était une fois un chien.") == "fr"
    assert likelier("ar", "نعم", spoken=("uk",), talked=RUSSIAN) == "uk"
    assert likelier("ar", "نعم", spoken=("sr",), talked="Dobro.") == "sr"
    assert likelier("ar", "نعم", spoken=("sr",), talked="Добро.") == "sr"


def test_what_is_not_written_so_is_doubted_of_everybody():
    assert likelier("zh", "shu'er", spoken=("en", "zh"), talked=ENGLISH) == "en"
    assert likelier("zh", "shu'er", spoken=("fr", "zh"), talked=ENGLISH) == "fr"
    assert likelier("en", "灯", spoken=("en",), talked=CHINESE) == "zh"


@pytest.mark.parametrize(
    ("found", "text", "spoken", "doubtful", "language"),
    [
        ("zh", "火水水火塔", ("en",), True, "en"),  # laughter
        ("zh", "火水水火塔", ("de", "en"), True, "en"),
        ("zh", "关掉音乐。", ("en",), False, None),  # who speaks Chinese now is followed
        ("zh", "火水水火塔", ("zh", "en"), True, None),
        ("zh", "火水水火塔", (), True, None),  # nobody knows yet what this speaker speaks
        ("zh", "我不知道", ("en",), True, None),  # a whole answer, a murmur and a command of any language
        ("zh", "好的好的", ("en",), True, None),
        ("zh", "下一个", ("en",), True, None),
        ("ja", "そそそそて", ("en",), True, "en"),
    ],
)
def test_a_doubtful_text_in_a_language_that_this_speaker_never_used_is_strange(
    found, text, spoken, doubtful, language
):
    assert likelier(found, text, spoken=spoken, talked=ENGLISH, doubtful=doubtful) == language


def test_english_is_doubted_of_who_speaks_chinese_only_and_a_script_of_the_conversation_is_not():
    assert likelier("en", "Class note.", spoken=("zh",), talked=CHINESE, doubtful=True) == "zh"
    assert likelier("en", "Class note.", spoken=("zh",), talked=CHINESE) is None
    assert likelier("en", "Class note.", spoken=("fr",), talked="Il était une fois.", doubtful=True) is None


def test_the_newest_words_count_and_instructions_do_not():
    items = (
        Message("a", "user", (Text(RUSSIAN),)),
        Message("b", "user", (Image("data:"), InputSpeech(CHINESE))),
        Message("c", "user", (InputSpeech(None),)),
        FunctionCall("d", "call", "look", "{}"),
        Message("e", "system", (Text(ENGLISH),)),
    )
    assert newest_text(items) == CHINESE
    assert newest_text((*items, Message("f", "assistant", (OutputSpeech(ENGLISH),)))) == ENGLISH
    assert newest_text(items[2:]) == newest_text(()) == ""


def test_what_the_assistant_said_last_counts_until_the_user_says_more():
    asks = Message("a", "assistant", (OutputSpeech("What is your PIN?"),))
    system = Message("c", "system", (Text("Be brief."),))
    assert said_by_assistant((asks, system)) == "What is your PIN?"
    assert (
        said_by_assistant((asks, Message("b", "user", (InputSpeech("4."),)))) == said_by_assistant(()) == ""
    )


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("2. Yes", "LATIN"),
        ("犬がいた", "KANA"),
        ("犬", "HAN"),
        ("ｲﾇ", "KANA"),
        ("ＯＫ", "LATIN"),
        ("37℃", None),
        ("10㎏", None),
        ("개", "HANGUL"),
        ("…", None),
        ("", None),
        ("OK，没问题，我们开始吧。", "HAN"),
        ("iPhone 很好用。", "HAN"),
        ("哈利・波特住在伦敦。", "HAN"),
        ("ー", None),
        ("ｰ", None),
        ("OKｰ", "LATIN"),
        ("\ufc5e", "ARABIC"),  # begins with a blank in the plain form
        ("Say 你好 to everybody who comes.", "LATIN"),
    ],
)
def test_the_script_of_a_text(text, script):
    assert script_of(text) == script


@pytest.mark.parametrize(
    ("language", "text", "written"),
    [
        ("zh", "OK", False),
        ("zh", "iPhone 好", True),
        ("yue", "係呀", True),
        ("ja", "対対対", False),  # perhaps Chinese
        ("ja", "東京です", True),
        ("ko", "네", True),
        ("hi", "\u0939\u093e\u0901", True),
        ("sr", "Добро.", True),
        ("en", "ＯＫ", True),
        ("en", "37℃", False),
        ("ru", "OK", False),
        ("ja", "はい", True),
        ("ja", "OK", False),
        ("en", "灯", False),
        ("fr", "Oui.", True),
        ("sr", "Dobro.", True),
        ("th", "\u0e2a\u0e27", True),  # a language whose script is in no table
        ("th", "7", False),
        ("en", "", False),
    ],
)
def test_whether_a_text_is_written_in_the_script_of_its_language(language, text, written):
    assert is_written_in(language, text) is written
