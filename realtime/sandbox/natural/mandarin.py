"""Mandarin syllables as the phonemes that Kokoro was trained on: IPA, the tone as an arrow behind the vowel.

It knows the spelling rules of pinyin. The phonemes of the model's Chinese are a fact of the model (`docs/engines.md`
5).
"""

from __future__ import annotations

from functools import cache

_ARROWS = {1: "→", 2: "↗", 3: "↓", 4: "↘", 5: ""}
_INITIALS = {
    "zh": "ꭧ", "ch": "ꭧʰ", "sh": "ʂ", "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l",
    "g": "k", "k": "kʰ", "h": "x", "j": "ʨ", "q": "ʨʰ", "x": "ɕ", "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s",
}  # fmt: skip
# The tone stands at the +.
_FINALS = {
    "a": "a+", "ai": "ai+", "an": "a+n", "ang": "a+ŋ", "ao": "au+", "e": "ɤ+", "ei": "ei+", "en": "ə+n", "eng": "ə+ŋ",
    "i": "i+", "ia": "ja+", "ian": "jɛ+n", "iang": "ja+ŋ", "iao": "jau+", "ie": "je+", "in": "i+n", "ing": "i+ŋ",
    "io": "jɔ+", "iong": "jʊ+ŋ", "iou": "jou+", "o": "wo+", "ong": "ʊ+ŋ", "ou": "ou+", "u": "u+", "ua": "wa+",
    "uai": "wai+", "uan": "wa+n", "uang": "wa+ŋ", "uei": "wei+", "uen": "wə+n", "ueng": "wə+ŋ", "uo": "wo+",
    "v": "y+", "van": "ɥɛ+n", "ve": "ɥe+", "vn": "y+n",
}  # fmt: skip
_WHOLE = {
    "er": "ɚ+",
    "o": "ɔ+",
    "ê": "ɛ+",
    "m": "m+",
    "n": "n+",
    "ng": "ŋ+",
    "hm": "hm+",
    "hng": "hŋ+",
    "yo": "jɔ+",
}
_BUZZED = "ɨ+"  # the vowel of zhi and zi
_SHORT = {"iu": "iou", "ui": "uei", "un": "uen"}


@cache
def phonemes(syllable: str) -> str:
    """`zhong1` as `ꭧʊ→ŋ`. "" for what is no syllable of Mandarin."""
    sound, tone = syllable[:-1], int(syllable[-1])
    whole = _WHOLE.get(sound)
    if whole is None:
        initial, final = _split(sound)
        if final == "i" and initial in ("zh", "ch", "sh", "r", "z", "c", "s"):
            whole = _INITIALS[initial] + _BUZZED
        elif final in _FINALS:
            whole = _INITIALS.get(initial, "") + _FINALS[final]
        else:
            return ""
    return whole.replace("+", _ARROWS[tone])


def _split(sound: str) -> tuple[str, str]:
    """Initial and full final of a syllable as it is spelled: `juan` is j and van, `you` no initial and iou."""
    if sound.startswith("y"):
        rest = sound[1:]
        if rest.startswith("u"):
            return "", "v" + rest[1:]
        return "", rest if rest.startswith("i") else "i" + rest
    if sound.startswith("w"):
        return "", sound[1:] if sound[1:] == "u" else "u" + sound[1:]
    initial = next((one for one in _INITIALS if sound.startswith(one)), "")
    final = sound[len(initial) :]
    if initial in ("j", "q", "x") and final.startswith("u"):
        final = "v" + final[1:]
    final = _SHORT.get(final, final)
    return initial, final
