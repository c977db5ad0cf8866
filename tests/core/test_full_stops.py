"""What a full stop is, in the languages of the voice: an end only where a sentence ends."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.core.clauses import Boundary, find_cuts
from realtime.core.languages import LANGUAGES
from realtime.core.languages.guess import guess_languages
from tests.each import each


def sentences(text: str) -> list[str]:
    """`text` cut where a sentence ends."""
    ends = [0, *(cut.end for cut in find_cuts(text, final=True) if cut.boundary >= Boundary.SENTENCE)]
    ends += [len(text)] * (ends[-1] < len(text))
    return [text[start:end] for start, end in itertools.pairwise(ends)]


ONE_SENTENCE = {
    "en": [
        "The meeting is at 9 a.m. Monday in the large room on the second floor.",
        "She met Gen. Lee, Sen. Warren and Rev. King in St. Louis.",
        "J. R. R. Tolkien and J.K. Rowling wrote for the U.S. Army.",
        "On Jan. 5 and in Feb. Peter was in the office.",
        "Add 2 oz. Parmesan to the 12 fl. oz. Coke.",
        "Washington D.C. Mayor Bowser spoke to Apple Inc. Chairman Levinson.",
        "It is in vol. 3, no. 5, p. 12 of the Ph.D. Thesis.",
        "He works for Smith & Co. Ltd. London.",
        "Sgt. Pepper, Gov. Brown, Rep. Pelosi, Pres. Lincoln, Hon. Judge Judy.",
        "Approx. 500 people, incl. Bob, excl. Amy, dept. Sales.",
        "Bach wrote the partita Op. 27 No. 2 for it.",
    ],
    "de": [
        "Wir treffen uns am 3. Oktober im 2. Stock.",
        "Der 2. Weltkrieg begann im 20. Jahrhundert.",
        "Ich mag Obst, z. B. Äpfel, d. h. Gesundes, u. a. Birnen.",
        "Hr. Müller, Fr. Prof. Dr. Schmidt und Dipl.-Ing. Weber wohnen in der Goethestr. Nr. 5.",
        "Das kostet ca. 3 Mio. Euro, bzw. 20 Mrd. Dollar.",
        "Das dauert max. 5 Minuten, fragen Sie Herrn Dipl.-Kfm. Schulz.",
        "Ludwig XIV. Frankreichs König war im 17. Jahrhundert berühmt.",
        "Cäsar starb 44 v. Chr. Rom trauerte um ihn.",
    ],
    "es": [
        "El Sr. García y la Sra. López hablan con la Dra. Ruiz.",
        "Vivo en EE. UU. desde hace años, p. ej. Nueva York me gusta.",
        "Ud. Puede venir a las 9 a. m. Mañana no.".replace(" Mañana no.", ""),
        "Está en la Av. Libertador, núm. 5, pág. 3.",
    ],
    "fr": [
        "M. Dupont et Mme. Martin sont nés en 50 av. J.-C. Rome était grande.".replace(" Rome était grande.", ""),
        "Le Dr. Bernard et le Pr. Leroy, c.-à-d. Paul et Marie, sont là.",
        "Je vois M. Dupont et MM. Durand au bd. Haussmann.",
    ],
    "it": [
        "Il Sig. Rossi e la Dott.ssa Bianchi, l'Avv. Verdi e l'Ing. Neri sono qui.",
        "La Sig.ra Ferrari abita in p.zza Garibaldi, n. 5, pag. 3.",
    ],
    "pt": [
        "O Exmo. Sr. Silva e a Dra. Costa moram na Av. Paulista, n. 5.",
        "O Prof. Souza nasceu em 200 a.C. Roma era grande.".replace(" Roma era grande.", ""),
        "Gosto de frutas, p. ex. Maçãs.",
    ],
    "nl": [
        "Dhr. Jansen en mevr. De Vries komen, bijv. Piet ook, m.b.v. Klaas.",
        "Wij zien drs. Bakker en ir. Visser op nr. 5.",
    ],
    "ru": [
        "Это т. е. Москва, ул. Ленина, д. 5.",
        "В 1945 г. Красная армия была там.",
        "А. С. Пушкин и Л.Н. Толстой это писатели.",
        "Он купил хлеб, молоко и т. д. Пете.",
    ],
    "uk": ["Він живе на вул. Шевченка, буд. 5, і в 1991 р. Україна була вже там."],
    "pl": ["Ja lubię owoce, np. Jabłka, tzn. Dobre, m.in. Gruszki.", "To jest prof. Kowalski i dr. Nowak z ul. Długiej, który był 3. Maja w domu."],
    "cs": ["To je např. Praha, tj. Město, a Karel IV. Lucemburský byl tam 3. Května."],
    "sk": ["To je napr. Bratislava, t. j. Mesto, ktoré je na ul. Hlavnej."],
    "sl": ["To je npr. Ljubljana in g. Novak z ul. Prešernove."],
    "hr": ["To je npr. Zagreb, tj. Grad, koji ima 2. Stoljeće."],
    "tr": ["Bu, 2. Dünya Savaşı için Prof. Dr. Yılmaz ve Av. Demir örn. Ankara ile çok önemli."],
    "hu": ["Ez pl. Budapest, és a 2. Magyar Hadsereg dr. Kovács szerint nem volt ott."],
    "fi": ["Se on esim. Helsinki, ja hän oli siellä 3. Toukokuuta ns. Matin kanssa."],
    "da": ["Det er f.eks. København, og hr. Jensen kom den 2. Maj kl. 8."],
    "nb": ["Det er f.eks. Oslo, og hr. Hansen kom den 17. Mai ikke hjem."],
    "sv": ["Det är t.ex. Stockholm, och prof. Lindgren bor på nr. 5."],
    "el": ["Αυτό είναι π.χ. Αθήνα, ο κ. Παπαδόπουλος και η Δρ. Μαρία."],
    "ro": ["Acesta este dl. Popescu, de ex. București, str. Lungă, nr. 5."],
    "ca": ["Aquest és el Sr. Puig, p. ex. Barcelona, núm. 5."],
    "vi": ["Tôi ở TP. Hồ Chí Minh với PGS. TS. Nguyễn Văn A."],
    "id": ["Ini Bpk. Joko dari Jl. Sudirman No. 5 dan Prof. Budi."],
    "hi": ["यह डॉ. शर्मा और प्रो. वर्मा का घर है जो 5 कि.मी. दूर है।"],
    "ar": ["هذا د. أحمد من ص. 5 في الكتاب."],
    "th": ["ผมเกิด พ.ศ. 2540 ที่ กทม. เวลา 10.30 น. ครับ"],
}  # fmt: skip
CASES = [(code, text) for code, texts in ONE_SENTENCE.items() for text in texts]


@each(CASES)
def test_an_abbreviation_is_no_end(code: str, text: str) -> None:
    assert sentences(text) == [text]


ENDS = [
    "I live in the U.S. |He does too. |It is far.",
    "Come at 5 p.m. |Then we eat.",
    "He works for Apple Inc. |They make phones.",
    "Take vitamin C. |It helps.",
    "It was you and I. |Peter came later.",
    "The cat sat. |Peter saw it.",
    "We saw the sun. |Mars was there too.",
    "He is no. 5. |She is no. 6.",
    "It was 1999. |Peter was born.",
    "The answer is no. |Peter said so.",
    "Er kam am 3. |Dann ging er wieder.",
    "Er starb 1999. |Seine Frau lebt noch.",
    "Es gibt Äpfel, Birnen usw. |Das ist gut.",
    "Er wohnt dort. |Peter auch.",
    "Das Konzert beginnt um 8. |Peter kommt auch.",
    "Compré pan, leche, etc. |Luego volví a casa.",
    "El mar es azul. |María lo ve.",
    "Vivo en EE. UU. |Ella también.",
    "Il habite à Paris. |Marie aussi.",
    "Il est né en 50 av. J.-C. |Il est mort jeune.",
    "Ci sono mele, pere, ecc. |Sono buone.",
    "Ele mora no mar. |Maria também.",
    "Он родился в 1945 г. |Его отец был врач.",
    "Это был я. |Пётр ушёл.",
    "Он ждал целый час. |Пётр пришёл.",
    "Mam jabłka, gruszki itd. |To jest dobre.",
    "To je Praha, Brno atd. |Ale já tam nejsem.",
    "Elma, armut vb. |Bunlar çok güzel.",
    "Ez alma, körte stb. |De nem jó.",
    "Omenoita, päärynöitä jne. |Se on hyvä.",
    "Æbler, pærer osv. |Det er godt.",
    "De kan komen. |Piet ook.",
    "Μήλα, αχλάδια κ.λπ. |Αυτό είναι καλό.",
]


@each(ENDS)
def test_a_real_end_still_ends(marked: str) -> None:
    assert sentences(marked.replace("|", "")) == marked.split("|")


@pytest.mark.parametrize(
    "text", ["We go at 5 p.m.", "Äpfel usw.", "Ask Dr.", "z. B.", "Er kam am 3.", "и т. д.", "Sr."]
)
def test_an_abbreviation_at_the_end_of_an_answer_is_its_end(text: str) -> None:
    assert find_cuts(text, final=True)[-1].boundary is Boundary.SENTENCE


@pytest.mark.parametrize("text", ["Äpfel usw.", "la Sra.", "ул.", "Herr Dr.", "z.", "np.", "etc.", "Mme."])
def test_an_abbreviation_at_the_end_of_what_was_received_waits(text: str) -> None:
    assert all(cut.end < len(text) for cut in find_cuts(text, final=False))


@pytest.mark.parametrize(
    "text",
    [
        "It is red.",
        "We had fun.",
        "Das ist gut.",
        "El mar.",
        "C'est la mer.",
        "Это год.",
        "यह घर है।",
    ],
)
def test_an_ordinary_last_word_does_not_wait(text: str) -> None:
    assert find_cuts(text, final=False)[-1].end == len(text)


def test_a_word_that_is_not_whole_yet_decides_nothing() -> None:
    """Whether "9 a.m." ends a sentence is known when the next word is."""
    for received in ("at 9 a.m. M", "at 9 a.m. Mo", "at 9 a.m. The"):
        assert all(cut.boundary is Boundary.WORD for cut in find_cuts(received, final=False))
    assert find_cuts("at 9 a.m. The ", final=False)[2].boundary is Boundary.SENTENCE


@pytest.mark.parametrize(
    "text", ["see no. 5 there", "J. R. R. Tolkien", "z. B. Äpfel", "EE. UU.", "Hr. Dr. Li"]
)
def test_no_chunk_ends_inside_a_name_or_an_abbreviation(text: str) -> None:
    dots = {place + 2 for place, char in enumerate(text) if char == "."}
    assert not dots & {cut.end for cut in find_cuts(text, final=False)}


SAMPLES = {
    "en": "The weather is nice and we are going out.",
    "de": "Das Wetter ist schön und wir gehen hinaus.",
    "es": "El tiempo es bueno y nosotros vamos a la calle.",
    "fr": "Le temps est beau et nous sommes dans la rue.",
    "it": "Il tempo è bello e noi siamo nella strada.",
    "pt": "O tempo está bom e nós vamos para a rua.",
    "nl": "Het weer is mooi en wij gaan naar buiten.",
    "ru": "Это хорошая погода, и мы идём на улицу.",
    "uk": "Це гарна погода, і ми йдемо на вулицю.",
    "pl": "To jest ładna pogoda i my idziemy na dwór.",
    "tr": "Bu hava çok güzel ve biz dışarı çıkıyoruz.",
    "hu": "Ez az idő szép, és mi nem megyünk ki.",
    "fi": "Se on kaunis ilma, ja me menemme ulos.",
    "sv": "Det är fint väder och vi går ut också.",
}


@pytest.mark.parametrize("code", SAMPLES)
def test_the_language_is_known_by_its_small_words(code: str) -> None:
    assert guess_languages(SAMPLES[code]) == {code}


def test_no_language_has_a_word_as_both_a_start_and_a_title() -> None:
    for language in LANGUAGES:
        assert not set((language.leading + " " + language.short).split()) & language.start_words, (
            language.code
        )


ANY_SENTENCES = st.lists(st.sampled_from([text for _, text in CASES]), min_size=1, max_size=4).map(" ".join)


@settings(max_examples=100)
@given(ANY_SENTENCES)
def test_the_pieces_are_the_text(text: str) -> None:
    assert "".join(sentences(text)) == text


@each([case for case in CASES if case[0] in SAMPLES])
def test_deltas_do_not_change_the_ends(code: str, text: str) -> None:
    """What is surely a sentence's end in a part of the text is one in the whole, once the language is known."""
    known = SAMPLES[code] + " "
    text = known + text
    whole = {cut.end for cut in find_cuts(text, final=True) if cut.boundary >= Boundary.SENTENCE}
    for received in range(len(known), len(text)):
        cuts = find_cuts(text[:received], final=False)
        assert {cut.end for cut in cuts if cut.closed and cut.boundary >= Boundary.SENTENCE} <= whole
