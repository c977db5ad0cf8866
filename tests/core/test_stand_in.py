"""The phrase for an answer that can only be seen is in the user's language."""

from __future__ import annotations

import pytest

from realtime.core.stand_in import PHRASES, has_something_to_see, stand_in

CODE = "```\nx = 1\n```"


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Hi", "en"),  # a word of Catalan too
        ("Hola", "es"),
        ("Bonjour", "fr"),
        ("Hi ha molta gent", "ca"),
        ("Write me a function, please.", "en"),
        ("Kannst du mir bitte eine Tabelle zeigen?", "de"),
        ("Montre-moi le code, s'il te plaît.", "fr"),
        ("Muéstrame una tabla con los números.", "es"),
        ("Puoi scrivere una funzione per me?", "it"),
        ("Escreva uma função com o código, por favor.", "pt"),
        ("Laat me zien hoe je het schrijft.", "nl"),
        ("Napisz mi proszę kod.", "pl"),
        ("Bana bir tablo göster lütfen.", "tr"),
        ("Visa mig hur jag skriver en tabell.", "sv"),
        ("Cho tôi xem bảng.", "vi"),
        ("给我写一段代码", "zh"),
        ("コードを書いてください", "ja"),
        ("코드를 써 주세요", "ko"),
        ("Напиши код", "ru"),
        ("اكتب لي الشفرة", "ar"),
        ("मुझे कोड लिखो", "hi"),
        ("เขียนโค้ดให้หน่อย", "th"),
        ("כתוב לי קוד", "he"),
        ("Γράψε μου κώδικα", "el"),
        ("给我写一段 Python 代码", "zh"),
        ("写一个 hello world", "zh"),
        ("用JavaScript实现quicksort", "zh"),
        ("JavaScript实现quicksort", "zh"),
        ("写个binary search tree", "zh"),
        ("用React写一个todo list component", "zh"),
        ("show me 一个 for loop 的 example 好吗", "zh"),
        ("幫我寫一個 Hello World", "zh"),
        ("How do you say 你好?", "en"),
        ("What does 的 mean in Chinese?", "en"),
        ("Translate 我爱你 into English", "en"),
        ("Write a function that reverses '你好世界'", "en"),
        ("Schreib mir bitte 你好 in Python", "de"),
        ("Напиши hello world на JavaScript", "ru"),
        ("quicksortをJavaScriptで", "ja"),
        ("Напиши мені код, будь ласка", "uk"),
        ("Моля, напиши ми кода на български", "bg"),
        ("این کد را برای من بنویس", "fa"),
        ("Napiš mi prosím kód", "cs"),
        ("Írj nekem egy táblázatot", "hu"),
        ("42?", "en"),
        ("", "en"),
    ],
)
def test_the_question_tells_the_language(question: str, language: str) -> None:
    assert stand_in(CODE, question, None) == PHRASES[language]


@pytest.mark.parametrize(
    ("question", "language", "said"),
    [
        ("Code?", "de", "de"),
        ("Code?", "zh-CN", "zh"),
        ("Code?", "pt_BR", "pt"),
        ("Code?", "yue", "zh"),
        ("Code?", "xx", "en"),
        ("Код?", "uk", "uk"),  # of the languages of a script, the known one
        ("表", "ja", "ja"),
        ("表", None, "zh"),
        ("给我代码", "en", "zh"),  # the words say more than a setting
        ("Zeig mir bitte die Tabelle", "fr", "fr"),  # a setting says more than a guess
    ],
)
def test_a_known_language_counts(question: str, language: str | None, said: str) -> None:
    assert stand_in(CODE, question, language) == PHRASES[said]


def test_without_a_question_the_answer_tells_it() -> None:
    assert stand_in("| 名字 | 年龄 |", "", None) == PHRASES["zh"]


@pytest.mark.parametrize("text", ["", " \n", "...", "---", "***\n", "\u200b"])
def test_nothing_to_see_needs_no_phrase(text: str) -> None:
    assert not has_something_to_see(text)
    assert stand_in(text, "Hi", None) == ""


@pytest.mark.parametrize("text", [CODE, "👍", "| 1 |", "x", "½", "→"])
def test_what_can_be_seen_gets_one(text: str) -> None:
    assert stand_in(text, "Hi", "en") == PHRASES["en"]
