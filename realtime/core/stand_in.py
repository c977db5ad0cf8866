"""What is said when an answer has only things to see, such as code or a table: a short phrase in the user's language.

Pure functions and a table. The phrase is for the ear alone: the transcript stays the model's text.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

PHRASES = {
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

# languages that a script alone tells, by the first word of its characters' names
_SCRIPTS = {
    "ARABIC": "ar", "CYRILLIC": "ru", "GREEK": "el", "HEBREW": "he", "DEVANAGARI": "hi", "HANGUL": "ko",
    "HIRAGANA": "ja", "KATAKANA": "ja", "TAMIL": "ta", "THAI": "th", "CJK": "zh",
}  # fmt: skip
# frequent words that few other languages have
_WORDS = {
    "cs": "jak co je prosím napiš mi ukaž který pro nebo kód tabulku",
    "da": "hvordan hvad er vis mig kan du skriv jeg en tabel ikke og",
    "de": "wie was ist der die das zeig mir kannst du bitte schreib eine ich nicht und mit für",
    "en": "how what is the show me can you please write a an of for with in to and my give",
    "es": "cómo como qué que es el la muéstrame puedes por favor escribe una en para con los del dame",
    "fi": "miten mikä on näytä minulle voitko kirjoita taulukko ja",
    "fr": "comment quoi est le la les des montre moi peux tu écris une s'il vous plaît pour avec et dans",
    "hu": "hogyan mi az egy mutasd meg kérlek írj nekem és táblázatot",
    "id": "bagaimana apa adalah tunjukkan saya tolong tulis sebuah untuk dengan dan yang",
    "it": "come cosa è il la mostrami puoi per favore scrivi una con gli della dammi e nel",
    "nl": "hoe wat is de het een laat me zien kun je schrijf alsjeblieft voor met en",
    "pl": "jak co jest pokaż mi proszę napisz czy dla w tabelę i kod",
    "pt": "como o que é a mostra mostre me pode por favor escreve escreva uma para com os do da em",
    "ro": "cum ce este arată mi scrie te rog un o pentru cu și în",
    "sv": "hur vad är visa mig kan du skriv jag en ett inte och tabell",
    "tr": "nasıl ne bir bana göster lütfen yaz için ve mı mi tablo kod",
    "vi": "làm thế nào là gì cho tôi xem viết một bảng và của",
}  # fmt: skip
_WORDS_OF = {language: frozenset(words.split()) for language, words in _WORDS.items()}


def stand_in(answer: str, question: str, language: str | None) -> str:
    """The phrase for this answer; "" where it has nothing to see. `language`: an ISO-639 code, if it is known."""
    if not has_something_to_see(answer):
        return ""
    spoken = language_by_script(question) or _base(language) or _language_by_words(question)
    return PHRASES.get(spoken or language_by_script(answer), PHRASES["en"])


def has_something_to_see(text: str) -> bool:
    """Whether a screen shows more of this than punctuation and lines."""
    return any(char.isalnum() or (char > "\x7f" and unicodedata.category(char)[0] == "S") for char in text)


def language_by_script(text: str) -> str:
    """The language of a text whose script tells it; "" for Latin letters, and for no letters."""
    scripts = Counter(unicodedata.name(char, "").split(" ")[0] for char in text if char.isalpha())
    if scripts["HIRAGANA"] or scripts["KATAKANA"]:
        return "ja"
    known = [(count, script) for script, count in scripts.items() if script in _SCRIPTS]
    if not known or max(known)[0] * 2 < scripts["LATIN"]:
        return ""
    return _SCRIPTS[max(known)[1]]


def _base(language: str | None) -> str:
    base = (language or "").lower().replace("_", "-").split("-")[0]
    return {"yue": "zh", "nb": "no", "nn": "no", "iw": "he", "tl": "fil", "in": "id"}.get(base, base)


def _language_by_words(text: str) -> str:
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower())
    hits = {language: sum(word in known for word in words) for language, known in _WORDS_OF.items()}
    best = max(hits, key=lambda language: (hits[language], language == "en"))
    return best if hits[best] else ""
