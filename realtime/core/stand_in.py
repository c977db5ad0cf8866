"""What is said when an answer has only things to see, such as code or a table: a short phrase in the user's language.

Pure functions and a table; `languages/guess.py` guesses which language it is. The phrase is for the ear alone: the
transcript stays the model's text.
"""

from __future__ import annotations

import unicodedata

from realtime.core.characters import is_invisible
from realtime.core.languages.guess import guess_language, languages_of_script

PHRASES = {
    "af": "Die antwoord is op die skerm.",
    "ar": "الإجابة ظاهرة على الشاشة.",
    "bg": "Отговорът е на екрана.",
    "ca": "La resposta és a la pantalla.",
    "cs": "Odpověď je na obrazovce.",
    "da": "Svaret står på skærmen.",
    "de": "Die Antwort steht auf dem Bildschirm.",
    "el": "Η απάντηση είναι στην οθόνη.",
    "en": "The answer is on the screen.",
    "es": "La respuesta está en la pantalla.",
    "fa": "پاسخ روی صفحه است.",
    "fi": "Vastaus on näytöllä.",
    "fil": "Nasa screen ang sagot.",
    "fr": "La réponse est à l'écran.",
    "he": "התשובה מופיעה על המסך.",
    "hi": "उत्तर स्क्रीन पर है।",
    "hr": "Odgovor je na zaslonu.",
    "hu": "A válasz a képernyőn látható.",
    "id": "Jawabannya ada di layar.",
    "it": "La risposta è sullo schermo.",
    "ja": "答えは画面に表示されています。",
    "ko": "답변은 화면에 있습니다.",
    "ms": "Jawapannya ada pada skrin.",
    "nl": "Het antwoord staat op het scherm.",
    "no": "Svaret står på skjermen.",
    "pl": "Odpowiedź jest na ekranie.",
    "pt": "A resposta está na tela.",
    "ro": "Răspunsul este pe ecran.",
    "ru": "Ответ на экране.",
    "sk": "Odpoveď je na obrazovke.",
    "sl": "Odgovor je na zaslonu.",
    "sv": "Svaret står på skärmen.",
    "ta": "பதில் திரையில் உள்ளது.",
    "th": "คำตอบอยู่บนหน้าจอ",
    "tr": "Cevap ekranda.",
    "uk": "Відповідь на екрані.",
    "vi": "Câu trả lời ở trên màn hình.",
    "zh": "答案显示在屏幕上。",
}


def stand_in(answer: str, question: str, language: str | None) -> str:
    """The phrase for this answer; "" where it has nothing to see. `language`: an ISO-639 code, if it is known."""
    if not has_something_to_see(answer):
        return ""
    spoken = _spoken_language(question, _base(language)) or next(iter(languages_of_script(answer)), "")
    return PHRASES.get(_base(spoken), PHRASES["en"])


def has_something_to_see(text: str) -> bool:
    """Whether a screen shows more of this than punctuation and lines."""
    signs = (char > "\x7f" and unicodedata.category(char)[0] == "S" for char in text)
    return any(signs) or any(char.isalnum() and not is_invisible(char) for char in text)


def _spoken_language(question: str, known: str) -> str:
    """The language of a question: its script says more than what is known, and that more than its words."""
    likely = languages_of_script(question)
    return known if known and (not likely or known in likely) else guess_language(question)


def _base(language: str | None) -> str:
    base = (language or "").lower().replace("_", "-").split("-")[0]
    return {"yue": "zh", "nb": "no", "nn": "no", "iw": "he", "tl": "fil", "in": "id"}.get(base, base)
