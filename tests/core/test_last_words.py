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
    "Busco a la Sra.|Ich suche Hr.|Das sind z. B.|Je cherche Mme.".split("|")
)
def test_a_title_leads_on(text: str) -> None:
    assert completeness_of(text) is Completeness.INCOMPLETE
