"""How complete a sentence looks."""

import pytest

from realtime.core.completeness import Completeness, completeness_of


@pytest.mark.parametrize(
    ("text", "completeness"),
    [
        ("What time is it?", Completeness.COMPLETE),
        ("Stop!", Completeness.COMPLETE),
        ('He said "yes."', Completeness.COMPLETE),
        ("Yes, thank you. ", Completeness.COMPLETE),
        ("今天天气怎么样？", Completeness.COMPLETE),
        ("好的。", Completeness.COMPLETE),
        ("What time is it", Completeness.OPEN),
        ("I would like to.", Completeness.DANGLING),  # a full stop of the transcriber, not of the speaker
        ("今天天气很好", Completeness.OPEN),
        ("What are you looking at?", Completeness.COMPLETE),
        ("I would like to", Completeness.INCOMPLETE),
        ("because", Completeness.INCOMPLETE),
        ("First of all,", Completeness.INCOMPLETE),
        ("So I thought...", Completeness.INCOMPLETE),
        ("Well —", Completeness.INCOMPLETE),
        ("我想要", Completeness.INCOMPLETE),
        ("因为，", Completeness.INCOMPLETE),
        ("如果。", Completeness.OPEN),
        ("有没有？", Completeness.COMPLETE),
        ("对。", Completeness.COMPLETE),
        ("我没有。", Completeness.COMPLETE),
        ("", Completeness.INCOMPLETE),
        ("   ", Completeness.INCOMPLETE),
    ],
)
def test_how_complete_a_text_looks(text, completeness):
    assert completeness_of(text) is completeness


@pytest.mark.parametrize(
    ("text", "completeness"),
    [
        ("It was the.", Completeness.INCOMPLETE),
        ("I think, um.", Completeness.INCOMPLETE),
        ("Well, um", Completeness.INCOMPLETE),
        ("The what?", Completeness.COMPLETE),
        ("1, 2, 3.", Completeness.OPEN),
        ("My number is five, five, two.", Completeness.OPEN),
        ("Call 5 5 5", Completeness.INCOMPLETE),
        ("In 1984.", Completeness.COMPLETE),
        ("It is 10 30.", Completeness.COMPLETE),
        ("I need eggs, milk, tea.", Completeness.OPEN),
        ("I need eggs, milk, and tea.", Completeness.COMPLETE),
        ("I need eggs, milk and tea.", Completeness.COMPLETE),
        ("No, no, no.", Completeness.COMPLETE),
        ("Hello, John, how are you?", Completeness.COMPLETE),
        ("我的号码是一三五。", Completeness.OPEN),
        ("138-2256。", Completeness.OPEN),
        ("My number is 079.", Completeness.OPEN),
        ("My number is 079", Completeness.INCOMPLETE),
        ("It is spelled S-M-I.", Completeness.OPEN),
        ("Is it 079?", Completeness.COMPLETE),
        ("是138吗？", Completeness.COMPLETE),
        ("It costs 350.", Completeness.COMPLETE),
        ("现在三点。", Completeness.COMPLETE),
    ],
)
def test_fillers_lists_and_digits_go_on(text, completeness):
    assert completeness_of(text) is completeness


@pytest.mark.parametrize(
    ("text", "completeness"),
    [
        ("Yes, I do.", Completeness.COMPLETE),
        ("no, it isn't.", Completeness.COMPLETE),
        ("No, they are not.", Completeness.COMPLETE),
        ("Yes I would!", Completeness.COMPLETE),
        ("Yes, I do", Completeness.OPEN),
        ("Yes, please, thanks.", Completeness.COMPLETE),
        ("Turn it on.", Completeness.DANGLING),
        ("I like that.", Completeness.DANGLING),
        ("And they are.", Completeness.DANGLING),
        ("Turn it on", Completeness.INCOMPLETE),
    ],
)
def test_answers_are_whole_and_a_word_that_ends_few_sentences_dangles(text, completeness):
    assert completeness_of(text) is completeness


@pytest.mark.parametrize(
    "text",
    "yes|no|okay|No, thank you|stop|好的|不要|是的|没有|不|停|好的谢谢|是|要|はい|いいえ|네|아니요|ja bitte|non|да|نعم|हाँ|ใช่".split(
        "|"
    ),
)
def test_a_yes_or_a_no_alone_is_whole_without_a_mark(text: str) -> None:
    assert completeness_of(text) is Completeness.COMPLETE


@pytest.mark.parametrize(
    "text",
    "wait|hold on|等一下|hello|why|me|嗯|是不是|对不对|待って|aber|yes I do|好的我|I'm|不要再|yes,|no but".split(
        "|"
    ),
)
def test_what_people_go_on_after_is_not(text: str) -> None:
    assert completeness_of(text) is not Completeness.COMPLETE


@pytest.mark.parametrize(
    "text",
    ["नमस्ते। ", "كيف حالك؟", "میں ٹھیک ہوں۔", "Τι κάνεις;", "Բարև։", "ሰላም።", "សួស្តី។", "I live in the U.S."],
)
def test_the_marks_of_other_scripts_complete_a_sentence(text: str) -> None:
    assert completeness_of(text) is Completeness.COMPLETE


@pytest.mark.parametrize("text", ["I need to see Dr.", "مرحبا،", "ሰላም፣", "Quiero ver a la Sra."])
def test_a_clause_mark_or_a_title_leaves_a_sentence_open(text: str) -> None:
    assert completeness_of(text) is Completeness.INCOMPLETE


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [("我要這個。", "我要这个。"), ("我想說，還有", "我想说，还有"), ("是對的。", "是对的。")],
)
def test_chinese_in_traditional_characters_is_as_complete_as_in_simplified_ones(traditional, simplified):
    assert completeness_of(traditional) is completeness_of(simplified)
