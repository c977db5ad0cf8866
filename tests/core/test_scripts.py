"""Where text of any script may be cut: its own marks, numbers with them, and words without blanks."""

from __future__ import annotations

import itertools
import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.characters import inside_grapheme
from realtime.core.chunker import Chunker
from realtime.core.clauses import Boundary, find_cuts, measure
from realtime.core.segments import segment_ends
from realtime.core.wordbreak import atoms, sound_weight
from realtime.core.wording import Wording
from tests.each import each


def parts(text: str) -> list[str]:
    """`text` cut at every boundary stronger than a word."""
    ends = [0, *(cut.end for cut in find_cuts(text, final=True) if cut.boundary > Boundary.WORD)]
    ends += [len(text)] * (ends[-1] < len(text))
    return [text[start:end] for start, end in itertools.pairwise(ends)]


CUT = {
    "Hindi": "नमस्ते। |आप कैसे हैं? |मैं ठीक हूँ, |धन्यवाद।",
    "Hindi without a blank": "यह घर है।|वह बड़ा है॥",
    "Bengali": "আমি ভালো আছি। |তুমি কেমন আছ?",
    "Arabic": "مرحبا، |كيف حالك؟ |أنا بخير؛ |شكرا.",
    "Urdu": "میں ٹھیک ہوں۔ |آپ کیسے ہیں؟",
    "Hebrew": "שלום, |מה שלומך? |אני בסדר.",
    "Greek": "Τι κάνεις; |Είμαι καλά· |ευχαριστώ.",
    "Georgian": "მე კარგად ვარ. |შენ როგორ ხარ? |კარგი.",
    "Armenian": "Բարև։ |Ինչպե՞ս ես։ |Լավ, |շնորհակալ եմ։",
    "Ethiopic": "ሰላም። |እንዴት ነህ፧ |ደህና፣ |አመሰግናለሁ።",
    "Burmese": "မင်္ဂလာပါ။ |နေကောင်းလား၊ |ကျေးဇူးတင်ပါတယ်။",
    "Khmer": "សួស្តី។ |អ្នកសុខសប្បាយទេ? |អរគុណ៕",
    "Tibetan": "བཀྲ་ཤིས་བདེ་ལེགས། །|ཁྱེད་རང་བདེ་པོ་ཡིན་པས།",
    "Thai phrases": "สวัสดีครับ |ผมชื่อสมชาย |วันนี้อากาศดี",
    "Thai numbers": "ราคา 500 บาท",
    "Mongolian": "ᠰᠠᠶᠢᠨ᠂ |ᠪᠠᠶᠢᠨ᠎ᠠ᠃",
    "Spanish": "¿Qué tal? |¡Muy bien! |Gracias.",
    "interrobangs": "What‽ |Really⁉ |Yes.",
    "French blanks": "Ça va ? |Oui ! |Il dit : |« Bonjour. » |Puis il part.",
    "German quotes": "Er sagte: |„Ja.“ |Dann ging er.",
    "full-width forms": "真的吗？|好，|走吧！",
    "half-width forms": "はい､|そうです｡",
}  # fmt: skip


@pytest.mark.parametrize("marked", CUT.values(), ids=CUT.keys())
def test_the_marks_of_every_script_count(marked: str) -> None:
    assert parts(marked.replace("|", "")) == marked.split("|")


NUMBERS = [
    "12：30",
    "3：2",
    "1，000",
    "٣٫١٤",
    "٤:٣٠",
    "١،٠٠٠",
    "3．5",
    "１２：３０",
    "10 000",
    "06 12 34",
    "1,000.50",
    "3 : 2",
    "१२:३०",
]


@each(product(NUMBERS, ["现在是{}分了", "It is {} now", "الساعة {} الآن", "समय {} है"]))
def test_no_cut_is_inside_a_number(number: str, around: str) -> None:
    text = around.format(number)
    start = text.index(number)
    inside = set(range(start + 1, start + len(number)))
    assert not inside & {cut.end for cut in find_cuts(text, final=True)}
    for end in range(start + 1, len(text)):
        assert not inside & {cut.end for cut in find_cuts(text[:end], final=False) if cut.closed}


SEGMENTS = [
    "วัน|นี้|อากาศ|ดี|มาก|และ|ผม|อยาก|ไป|เดิน|เล่น|ที่|สวน|สาธารณะ",
    "สวัสดี|ครับ|ผม|ชื่อ|สมชาย",
    "ສະ|ບາຍ|ດີ|ຂ້ອຍ|ຢາກ|ໄປ|ຕະ|ຫຼາດ|ເພື່ອ|ຊື້|ໝາກ|ໄມ້|ແລະ|ຜັກ",
    "ខ្ញុំ|ចង់|ទៅ|ផ្សារ|ដើម|្បី|ទិញ|បន|្លែ|និង|ផ្លែ|ឈើ",
    "ကျွန်|တော်|ဈေး|ကို|သွား|ပြီး|သစ်|သီး|နဲ့|ဟင်း|သီး|ဟင်း|ရွက်|ဝယ်|ချင်|တယ်",
    "བཀྲ་|ཤིས་|བདེ་|ལེགས",
]


@pytest.mark.parametrize("marked", SEGMENTS)
def test_text_without_blanks_is_cut_between_words_or_syllables(marked: str) -> None:
    segments = marked.split("|")
    text, between = "".join(segments), set(itertools.accumulate(map(len, segments)))
    whole = set(segment_ends(text, 0, len(text), complete=True))
    assert whole
    assert whole <= between
    for end in range(1, len(text)):
        assert set(segment_ends(text, 0, end, complete=False)) <= whole
    assert whole <= set(atoms(text))


@pytest.mark.parametrize(
    "text",
    [
        "วันนี้อากาศดีมากและผมอยากไปเดินเล่นที่สวนสาธารณะกับเพื่อนของผมตอนเย็น",
        "ຂ້ອຍຢາກໄປຕະຫຼາດເພື່ອຊື້ໝາກໄມ້ແລະຜັກເພາະວ່າແມ່ໄປເຮັດວຽກແລະເຮົາໄປໂຮງຮຽນເພື່ອໄດ້ໂອກາດ",
        "ကျွန်တော်ဈေးကိုသွားပြီးသစ်သီးနဲ့ဟင်းသီးဟင်းရွက်ဝယ်ချင်တယ်အဲဒါကောင်းတယ်",
    ],
)
def test_text_without_blanks_starts_as_early_as_text_with_them(text: str) -> None:
    chunker, received = Chunker(), 0
    while received < len(text):
        chunker.feed(Wording.plain(text[received : received + 3]), received / 100)
        received += 3
        if chunks := chunker.poll(received / 100):
            assert len(chunks[0].text) <= received < len(text)
            return
    pytest.fail("nothing left before the end")


def test_a_vowel_sign_takes_no_time_and_a_consonant_is_no_syllable() -> None:
    assert measure("कि") == measure("क")
    assert sound_weight("ि") == 0
    assert measure("กก").wide == 0
    assert measure("กก").narrow == 2
    assert measure("ሰላም").narrow > measure("abc").narrow
    assert sound_weight("।") == sound_weight(".")
    assert sound_weight("،") == sound_weight(",")


TEXT = st.text(st.sampled_from("กานี้เมืองไทย្ខញុំကျန်ບເາའབྲ་။।؟،12：, .कि"), max_size=40)


@given(TEXT)
def test_pieces_join_and_split_no_grapheme_and_no_number(text: str) -> None:
    assert "".join(parts(text)) == text
    for cut in find_cuts(text, final=True):
        assert not inside_grapheme(text, cut.end)
        assert not re.fullmatch(r"\d\d", text[cut.end - 1 : cut.end + 1])
