"""A short sentence in each language of the speech platform, to hear how a voice sounds. A table; knows no voices."""

from __future__ import annotations

SENTENCES = {
    "af": "Hallo! So klink my stem.",
    "ar": "مرحبًا! هكذا يبدو صوتي.",
    "bg": "Здравейте! Така звучи гласът ми.",
    "ca": "Hola! Així sona la meva veu.",
    "cs": "Dobrý den! Takhle zní můj hlas.",
    "da": "Hej! Sådan lyder min stemme.",
    "de": "Hallo! So klingt meine Stimme.",
    "el": "Γεια σας! Έτσι ακούγεται η φωνή μου.",
    "en": "Hello! This is what my voice sounds like.",
    "es": "¡Hola! Así suena mi voz.",
    "fa": "سلام! صدای من این‌طور است.",
    "fi": "Hei! Tältä ääneni kuulostaa.",
    "fil": "Kumusta! Ganito ang boses ko.",
    "fr": "Bonjour ! Voici comment sonne ma voix.",
    "he": "שלום! כך נשמע הקול שלי.",
    "hi": "नमस्ते! मेरी आवाज़ ऐसी है।",
    "hr": "Bok! Ovako zvuči moj glas.",
    "hu": "Jó napot! Így szól a hangom.",
    "id": "Halo! Beginilah suara saya.",
    "it": "Ciao! La mia voce suona così.",
    "ja": "こんにちは。私の声はこんな感じです。",
    "ko": "안녕하세요! 제 목소리는 이렇습니다.",
    "ms": "Helo! Beginilah suara saya.",
    "nl": "Hallo! Zo klinkt mijn stem.",
    "nn": "Hei! Slik høyrest stemma mi ut.",
    "no": "Hei! Slik høres stemmen min ut.",
    "pl": "Cześć! Tak brzmi mój głos.",
    "pt": "Olá! É assim que soa a minha voz.",
    "ro": "Bună! Așa sună vocea mea.",
    "ru": "Здравствуйте! Так звучит мой голос.",
    "sk": "Dobrý deň! Takto znie môj hlas.",
    "sl": "Živjo! Tako zveni moj glas.",
    "sv": "Hej! Så här låter min röst.",
    "ta": "வணக்கம்! என் குரல் இப்படி இருக்கும்.",
    "th": "สวัสดี นี่คือเสียงของฉัน",
    "tr": "Merhaba! Sesim böyle.",
    "uk": "Вітаю! Ось так звучить мій голос.",
    "vi": "Xin chào! Giọng của tôi nghe như thế này.",
    "yue": "你好！我把聲就係咁樣。",
    "zh": "你好！这就是我的声音。",
}  # fmt: skip
_CANTONESE = ("zh-hk", "zh-yue", "yue")


def base_language(language: str) -> str:
    """The key of `SENTENCES` for a code such as "en-US" or "zh-HK"; "" if there is none."""
    code = language.strip().lower().replace("_", "-")
    base = "yue" if code.startswith(_CANTONESE) else code.split("-")[0]
    return {"nb": "no"}.get(base, base) if base in SENTENCES or base == "nb" else ""
