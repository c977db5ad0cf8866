"""Last words that lead on in one language and end sentences in another, or end some sentences of their own."""

from __future__ import annotations

from realtime.core.completeness import Completeness, completeness_of
from realtime.core.turn_end import Evidence, silence_ms, worth_asking
from tests.each import each


@each("OK.|Ok.|Okay, ok.|Right, OK.|All right. OK.|嗯，OK.|嗯嗯，OK.|Da.|Sto.".split("|"))
def test_a_yes_is_no_title(text: str) -> None:
    assert completeness_of(text) is Completeness.COMPLETE
    known = Evidence(text, 0.95, 0.9, 0.8, before="要我继续吗？")
    assert silence_ms(known, "auto") < 400
    assert worth_asking(known, same_ms=200)


@each(
    "That works, OK.|Give me ten.|A pair, so red.|Paint it red.|It's for me.|Let me see a rep.|Thanks, hon.|One doc.|"
    "I moved to NY.|Fort Worth, TX.|250 ml.|She runs HR.|Call my vet.|Windows is an OS.|Rep.|Cap.".split("|")
)
def test_a_title_of_another_language_is_a_word(text: str) -> None:
    assert completeness_of(text) is Completeness.COMPLETE


def test_a_word_that_answers_is_no_title() -> None:
    assert completeness_of("Red.", "What color is it?") is Completeness.COMPLETE
    assert completeness_of("Gem.", "What is her name?") is Completeness.COMPLETE


@each(
    "I saw Mrs.|My doctor is Dr.|This is Prof.|We met Gov.|He wrote to Rep.|something sweet, e.g.|Red vs.|Look at www.|"
    "Busco a la Sra.|Spelled S.|7 P.|Ich suche Hr.|Das sind z. B.|Je cherche Mme.".split("|")
)
def test_a_title_leads_on(text: str) -> None:
    assert completeness_of(text) is Completeness.INCOMPLETE


@each(
    "Mach die Heizung an.|Hör dir das mal an.|Ich rufe dich später an.|Das sind er und sie, das ist er.|Dreh es um.|"
    "Ik ben er.|We zijn er.|Nee, dat is er.|Quero mais um.|Só tem um.|Il y en a.|Oui, il y en a.|Ja, det er.|"
    "Zet het licht an.|Licht an.|Fernseher an.".split("|")
)
def test_a_word_that_leads_on_in_english_ends_a_sentence_of_another_language(text: str) -> None:
    assert silence_ms(Evidence(text, 0.95, 0.9, 0.8), "auto") < 500


def test_what_was_said_before_tells_the_language() -> None:
    asked = "Soll ich das Licht an machen oder aus?"
    assert completeness_of("Licht an.", asked) is Completeness.COMPLETE
    assert completeness_of("Komm her.", asked) is Completeness.COMPLETE
    assert completeness_of("Book an.", "Where would you like to go?") is Completeness.INCOMPLETE


@each("予約が必要。|それが重要。|ここは目的地。|今は不在。|東京の土地。".split("|"))
def test_words_of_chinese_do_not_lead_on_in_japanese(text: str) -> None:
    assert completeness_of(text) is Completeness.COMPLETE


def test_an_answer_to_japanese_is_japanese() -> None:
    assert completeness_of("目的地。", "どこへ行きますか？") is Completeness.COMPLETE
    assert completeness_of("我的。", "どこへ行きますか？") is Completeness.COMPLETE


@each(
    "I'd like um.|I saw a.|Give her an.|And the.|Call my.|Um.|Well, er.|I went to, uh.|Ich möchte, um.|我想 um.|"
    "Los Angeles and.|Play my.|She came because.".split("|")
)
def test_nothing_ends_with_these_in_english(text: str) -> None:
    assert completeness_of(text) is Completeness.INCOMPLETE


@each("San Jose is|Ten men were|La La Land was|Die cast is|My son would".split("|"))
def test_a_name_or_a_word_of_two_languages_is_english(text: str) -> None:
    assert completeness_of(text) is Completeness.INCOMPLETE
    assert completeness_of(f"{text}.") is Completeness.DANGLING


@each(
    "I guess it's|and that we'll|They said you're|but who'd|I think there's|My name's|The red one's|And then|So then|"
    "Please let me|I need|And we want|Because he has|during|I'm here until|unless|It costs ten a month via|"
    "He did everything except".split("|")
)
def test_contractions_and_such_words_lead_on_in_english(text: str) -> None:
    assert completeness_of(text) is Completeness.INCOMPLETE
    assert completeness_of(f"{text}.") is Completeness.DANGLING


@each(
    "It's my sister's.|At McDonald's.|I was there then.|Yes, I have.|That's all I need.|That's what we want.|"
    "No, they had.|I don't.".split("|")
)
def test_sentences_that_end_like_those(text: str) -> None:
    assert completeness_of(text) is Completeness.COMPLETE


@each(
    "Play La Vie en Rose by|Find flights from São Paulo to|Translate guten Morgen into|Play Für Elise by|"
    "Please play Te Quiero by|What is der Weg to".split("|")
)
def test_a_foreign_name_in_an_english_request_leaves_it_english(text: str) -> None:
    assert completeness_of(text) is Completeness.INCOMPLETE


@each("I want to|If|But|But we want".split("|"))
def test_english_words_are_english_also_after_another_language(text: str) -> None:
    asked = "Das heißt Guten Morgen. Möchten Sie noch ein Wort lernen?"
    assert completeness_of(text, asked) is Completeness.INCOMPLETE


@each(
    "Wir treffen uns um.|Wir sehen uns am Freitag um.|Der Termin ist um.|Stell den Wecker auf um.|Weck mich um.|"
    "Schreib eine E-Mail an.|Schick eine Nachricht an.|Ich denke an.|Quero falar com um.|Eu preciso de um.|"
    "Preciso comprar um.|Manda un messaggio a.|Mándale un mensaje a.|Vamos a.".split("|")
)
def test_words_of_other_languages_lead_on_where_what_stands_before_says_so(text: str) -> None:
    assert completeness_of(text) is Completeness.INCOMPLETE


@each("Ruf mich an.|Zieh dich um.|Die Zeit ist um.|Mach das Licht an.|Mais de um.|Elle en a.".split("|"))
def test_and_end_sentences_where_it_does_not(text: str) -> None:
    assert completeness_of(text) in (Completeness.COMPLETE, Completeness.DANGLING)
