"""Backchannels and words that take the turn, in many languages and spellings."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.backchannels import BACKCHANNELS
from realtime.core.han_variants import traditional_script
from realtime.core.leading_words import ANSWERS, LEADING
from realtime.core.short_words import (
    is_backchannel,
    is_hum,
    is_whole_answer,
    may_become_backchannel,
    takes_turn,
)
from realtime.core.turn_words import TURN_WORDS
from realtime.minimax.voice_language import _PREFIXES
from tests.each import each

LISTENING = (
    "Mm-hmm.|Mhm|mmmm|M-hm|Mm, mm.|Mmhmm!|Uh-huh.|uh huh|Hmm...|Ahh.|Ah ha!|Yeah.|yeaaah|Yeah, yeah, yeah.|Okay.|OK!|okaaay|"
    "Right.|Right, right.|Mm-hmm, okay.|Mm-okay.|M-M-M-OK|mm-yeah|Oh, I see.|Got it.|That's right.|Sure, sure.|Haha!|"
    "Hmm.|MMM|Mm, hmm.|Um-hum.|M-hm|Um, hum.|Mm-hum|Uh-hum|Hum hum|Umhmm.|Mmm-hmm|Mmmm-hmmmm.|Hm-hm|Unh-hunh|Uhn|Nnh|Ahem.|Ehm|Heh.|"
    "Huh-huh|Ah-hah|U-hum|Uhum.|M m m|Mhmmm...|Mm-uh-huh|Um-hm, um-hm.|MMA|M.M.|Ooo|Oooo.|Aa|Hihi.|Hihihi|Hoho|Hehi|Хм.|Гм|Ммм|Мгм|Угум|Χμμ|Μμμ|המם|ממממ|همم|اممم|ह्म्म|म्म|んん|ふんふん|"
    "음음|흠|으흠|흐음|哼|嗯哼|呣|"
    "嗯|嗯嗯嗯。|对|对，对，对。|对对对|好的好的|是的。|明白了|係呀|はい|はい、はい。|はーい|うん|うんうん|そうですね。|なるほど|へえー|"
    "네|네, 네.|네네네|그렇군요|Ja.|Ja, genau.|Ach so!|Alles klar.|Oui.|Oui oui !|D'accord.|Ouais, d’accord|Sí, claro.|¡Vale!|"
    "É isso.|Sim, sim|Tá bom|Sì, sì.|Va bene.|Klopt.|Да, да.|Понятно.|Угу|Так, звісно|Tak, jasne.|Ano.|Igen, igen.|Da, înțeleg.|"
    "Evet, tamam.|Ναι, ναι.|Just det.|Joo joo.|نعم، نعم|أيوه|بله|כן, כן.|हाँ जी|अच्छा, ठीक है।|হ্যাঁ|ஆமாம்|جی ہاں|ใช่ค่ะ|ค่ะ|Vâng ạ.|"
    "Dạ, đúng rồi.|Iya, iya.|Oo nga.|"
    "I see.|I see, I see.|Really?|Makes sense.|Make sense.|Oh wow.|Interesting.|Exactly.|Alright.|Good point.|No kidding.|For sure.|"
    "Oops.|Oops!|Whoops.|Ugh.|Ugg.|Uggh|Agh.|Argh!|Arrgh|Ouch!|Ow!|Phew.|Yay!|Aww.|Awww|Eww|Achoo!|A Choo.|"
    "Bless you.|Oh my god.|Oh my God!|OMG|Oh boy.|La la la.|La la la la.|La-la-la|Yikes!|Oh man.|Oops, okay.|"
    "明白。|真的吗？|明白，明白。|原来如此。|是吗？|没错。|哇，真的啊|说得对|我明白了。|太好了！|难怪。|收到|请继续。"
).split("|")
TAKING = (
    "Stop.|STOP!|Stop, stop!|stooop|Wait.|Wait a minute.|Hold on!|No.|No, no, no!|Nooo|Nope.|Uh-uh.|What?|Why?|Enough!|Shut up.|Sorry?|"
    "停|停停停|停下！|等一下|等等，等等|不对。|不要|别说了|闭嘴|收聲|やめて|やめて！|待って待って|ちょっと待って|ううん|違う|"
    "그만|그만해요|잠깐만요|아니요|Halt!|Stopp!|Nein, nein!|Warte mal.|Moment!|Arrête !|Arrêtez !|Attends|Non.|Ça suffit !|¡Para!|¡Basta ya!|"
    "Espera.|Pare!|Não.|Chega!|Basta!|Aspetta un attimo|Zitto!|Hou op!|Nee.|Wacht even.|Стоп!|Стой!|Нет, нет.|Подожди.|Зачекай|Przestań!|Czekaj.|"
    "Počkej!|Ne.|Várj!|Nem.|Stai!|Nu.|Dur!|Hayır.|Σταμάτα!|Όχι.|Sluta!|Vänta.|Stands!|Odota.|توقف|لا، لا|بس|نه|די!|לא|रुको|नहीं।|থামো|"
    "நிறுத்து|رکو|หยุด|เดี๋ยวก่อน|Dừng lại!|Khoan đã.|Không.|Berhenti!|Tunggu.|Tigil!"
).split("|")
NEITHER = (
    "La.|Shh.|Oh no.|Whoa.|Whoaaa|Whoa, whoa, whoa!|Woah|God|Boy|Man|Ug boots|Oops, stop.|Ouch, that hurts|Bless|Whoa there|Thank you.|yeah but|Okay, stop.|Right now, please.|Yes, please.|I see a dog.|Ja, aber warum?|对不对|嗯，不是|是不是|はい、やめて|"
    "Ham.|Human|Home.|I'm home.|Him|Menu|Mean|Moon.|Name|Man|Name him|Ohm's law|Anna|Hannah|Emma|Hunan|Nun|Hm, home|Хмуро|人|我们|"
    "네, 그만|Sí, pero|Rightly so.|What time is it?|Stop the music in the kitchen.|今天天气怎么样"
).split("|")

CHINESE_LISTENING = (  # stems with their particles
    "了解了|了解啦|我了解了|明白啦|知道了呀|懂的|我懂啊|理解的|清楚了|挺好的|挺好|很好|很好啊|真棒|还不错|非常好|太对了|太好了呀|说的对|你说的对|"
    "您说得对啊|你说的很有道理|说的是|说得也是|是吧|对吧|嗯呢|的确|的确是|好咧|好呢|好的呀|是的呢|可以呀|没错啊|当然啦|难怪呢|原来这样|原来是这样啊|"
    "哦这样|哦，是这样啊|真的假的|對吧|說的對|對呀對呀|嗯，的确|好的，很好|对吧对吧|懂|对哟|是啦|你讲得对|那可不|唉|額|係囉"
).split("|")
CHINESE_OTHER = (  # enough, by the way, questions, objections, what leads on
    "好了|行了|可以了|对了|够了|OK了。|ok啦|ok了ok了|没问题了。|没问题啦|没毛病了|妥了|我都知道了|我都明白啦|明白吗|你明白吗|知道吗|懂吗|对吗|好吗|行吗|可以吗|可以吧|说得不对|你说的不对|不好|很不好|不明白|不知道|我不懂|不理解|"
    "不是吧|不太好|真不好|太慢了|太快了|太长了|很慢|很好吃|你说什么|你说的什么|继续吗|真的不|好吃|是什么|对不起|谢谢|没听懂|没明白|是谁|好难|还好吗|"
    "说重点|说慢点|换个说法|再说一次|知道怎么|好啦|行啦|可以啦|不懂|懂吗|说的是什么|这样不对|这样行吗"
).split("|")
MIXED_LISTENING = (
    "OK好的|好的ok|嗯OK|OK嗯|okok|okokok|okayokay|对yeah|yeah对|对right|oh原来如此|哦ok|行OK|cool厉害|OK OK好的|"
    "OK吧|OK的|ok的|okはい|はいOK|네ok|okค่ะ|да ok|好的，OK"
).split("|")
MIXED_TAKING = "stop别说了|等一下wait|wait等一下|hold on等等|不是no|no不是|停stop|stop停|no no no不要|stopstop|nono|いやno".split(
    "|"
)
MIXED_OTHER = "OK停|好的stop|对no|ok吗|OK but好的|mama|papa|coco|mimi|kiki|bonbon|ok你好|好的but|对me".split(
    "|"
)


@each(CHINESE_LISTENING + MIXED_LISTENING)
def test_chinese_particles_and_two_scripts_without_a_blank_make_murmurs(text):
    assert is_backchannel(text)
    assert not takes_turn(text)


@each(CHINESE_OTHER + MIXED_OTHER)
def test_what_is_like_a_murmur_and_asks_or_objects_is_none(text):
    assert not is_backchannel(text)


@each(MIXED_TAKING)
def test_commands_in_two_scripts_without_a_blank_take_the_turn(text):
    assert takes_turn(text)
    assert not is_backchannel(text)


@each("好的thanks|Yes是的|不是no|OK好的|okok|谢谢thank you|thank you谢谢|好的OK谢谢|不用no|OK的".split("|"))
def test_answers_in_two_scripts_without_a_blank_are_whole(text):
    assert is_whole_answer(text)


@each("我知道的|我懂啊|明白的|还好|那好|的确是|是这样的|说的是|wait等一下|OK我|好的but".split("|"))
def test_what_people_go_on_after_is_no_whole_answer(text):
    assert not is_whole_answer(text)


@each(LISTENING)
def test_what_a_listener_says_is_a_backchannel(text):
    assert is_backchannel(text)
    assert not takes_turn(text)


@each(TAKING)
def test_commands_objections_and_questions_of_one_word_take_the_turn(text):
    assert takes_turn(text)
    assert not is_backchannel(text)


@each(NEITHER)
def test_other_words_are_neither(text):
    assert not takes_turn(text)
    assert not is_backchannel(text)


def test_nothing_at_all_is_no_word():
    for text in ("", " ", "...", "?!", "。", "♪"):
        assert is_backchannel(text)
        assert not takes_turn(text)


def test_every_language_of_the_voices_has_both_kinds():
    assert set(_PREFIXES.values()) <= BACKCHANNELS.keys()
    assert BACKCHANNELS.keys() == TURN_WORDS.keys()


heard = st.lists(st.sampled_from([text for text in LISTENING if text != "Ah ha!"]), min_size=1, max_size=5)


@given(heard, st.sampled_from([" ", ", ", ". ", " … "]))
def test_backchannels_in_a_row_are_one(words, between):
    assert is_backchannel(between.join(words))


hummed = st.lists(
    st.sampled_from("m mm hm hmm mhm um hum uhm uh-huh mm-hmm ah ahem".split()), min_size=1, max_size=4
)


@given(hummed, st.sampled_from(["-", " ", ", ", "... "]), st.integers(1, 3))
def test_a_hum_is_one_however_it_is_spelled(syllables, between, drawn_out):
    text = between.join(syllables).replace("m", "m" * drawn_out)
    assert is_hum(text)
    assert is_backchannel(text)
    assert is_backchannel(f"{text}, okay.")
    assert not takes_turn(text)
    assert not is_hum(f"{text}, okay."), "this says something"


@given(heard, st.sampled_from(TAKING), st.integers(0, 5))
def test_one_word_that_takes_the_turn_is_enough(words, taking, at):
    words.insert(at, taking)
    assert not is_backchannel(", ".join(words))


@given(
    st.sampled_from(LISTENING + TAKING),
    st.sampled_from([str.upper, str.lower, str.title, str.strip]),
    st.booleans(),
)
def test_capitals_marks_and_the_form_of_accents_do_not_count(text, case, composed):
    form = "NFC" if composed else "NFD"
    changed = unicodedata.normalize(form, f" {case(text)} !")
    assert is_backchannel(changed) is is_backchannel(text)
    assert takes_turn(changed) is takes_turn(text)


@pytest.mark.parametrize(
    "text", "I|Got|Inter|Make|Yeah, I|Oh, rea|Mm-hmm, go|原来|知道|嗯，明|I und|Oh, that's ri".split("|")
)
def test_a_text_that_breaks_off_may_still_become_a_backchannel(text):
    assert may_become_backchannel(text)
    assert not takes_turn(text)


@pytest.mark.parametrize(
    "text", "What|And in Paris|I want|Yeah, but|Got a dog|今天|嗯，今天|Makes me".split("|")
)
def test_other_beginnings_are_none(text):
    assert not may_become_backchannel(text)


@pytest.mark.parametrize("words", "對，對|說得對|厲害|難怪|沒毛病|這樣子|當然了|請繼續".split("|"))
def test_a_murmur_in_traditional_characters_stops_nothing(words):
    assert is_backchannel(words)


@pytest.mark.parametrize(
    "word", "別說了|閉嘴|別講了|等會|大聲點|慢點|換一個|再見|誰|哪裡|為什麼|爲什麼".split("|")
)
def test_a_command_in_traditional_characters_takes_the_turn(word):
    assert takes_turn(word)


@pytest.mark.parametrize(
    ("tag", "script"),
    [
        ("zh-TW", "zh-TW"),
        ("ZH_hant", "zh-TW"),
        ("zh-Hant-HK", "zh-HK"),
        ("zh-MO", "zh-HK"),
        ("yue-HK", "zh-HK"),
    ]
    + [(tag, None) for tag in ("zh", "zh-CN", "zh-Hans-TW", "yue", "en-TW", "", None)],
)
def test_a_tag_tells_the_script(tag, script):
    assert traditional_script(tag) == script


def _phrases(table):
    return [phrase for line in table.values() for phrase in line.split("|")]


def test_leading_words_are_of_the_other_tables_and_answers_are_not():
    assert [word for word in _phrases(LEADING) if not is_backchannel(word) and not takes_turn(word)] == []
    assert [word for word in _phrases(ANSWERS) if is_backchannel(word) or takes_turn(word)] == []
    assert all(map(is_whole_answer, _phrases(ANSWERS)))
    leading = {word for word in _phrases(LEADING) if is_whole_answer(word)}
    assert leading == {"da", "ya", "не", "ei", "hej", "بس"}, "each is a yes or a no of another language"


@pytest.mark.parametrize(
    "text", ["", "嗯", "mmm", "um", "oops", "oh my god", "ugh", "Yes, I", "好的我", "是不是", "no wait"]
)
def test_a_hum_or_the_beginning_of_a_sentence_is_no_whole_answer(text):
    assert not is_whole_answer(text)


YES_AND_NO = (
    "yes no ja nein oui non sí no sim não sì нет да так ні tak nie ano ne áno nie hej da ne да не da nu igen nem evet hayır ναι "
    "όχι ja nej nei kyllä joo ei ja nee نعم لا بله نه کافیه بس כן לא हाँ नहीं হ্যাঁ না ஆமா இல்லை ہاں نہیں ใช่ ไม่ vâng dạ không "
    "ya tidak oo hindi はい いいえ 네 아니요 是 不 有 没有 係 唔係"
)


@pytest.mark.parametrize("word", sorted(set(YES_AND_NO.split())))
def test_yes_and_no_of_every_language_are_whole(word):
    assert is_whole_answer(word)
    assert is_whole_answer(f"{word}, {word}.")


@pytest.mark.parametrize(
    "text",
    (
        "有|要|会|有有|要要要|对对对|不不不|好的好的|好的 好的|是的，谢谢|好谢谢|不用了谢谢|不用谢谢|不用不用谢谢|不是不是|不要不要|"
        "没有没有|对，没错|对对对没错|好的没问题|当然可以|可以可以|不可以|不，谢谢|好的，没有|必须的|"
        "claro que sí|sí, gracias|si por favor|sì, sì|yes please, thanks|はいはい|네네"
    ).split("|"),
)
def test_several_answers_are_whole(text):
    assert is_whole_answer(text)


@pytest.mark.parametrize(
    "text",
    (
        "要是|要不是|要不|不得不|不会有|不是有|是要|会有|没有要|好的要|好是好|有是有|可以不可以|知道不知道|不是不要|不能不|没有不|对有|"
        "好要|会要|不想要|要 是|好 是 好|不 得 不|好的是|对没有|好好了解|好了解|可以取消|不是可以|不，是|不，要|"
        "为什么|什么|哪里|谁|次|もう一度|si|Si|no, si|si no|ya no"
    ).split("|"),
)
def test_the_beginning_of_a_sentence_is_no_whole_answer(text):
    assert not is_whole_answer(text)


@pytest.mark.parametrize(
    ("text", "hum"),
    [
        ("h" * 8_000, False),
        ("hmh" * 30 + "x", False),
        ("hmh" * 9 + "x", False),
        ("uhhh" * 20 + "x", False),
        ("hmh" * 30, True),
        ("m" * 8_000, True),
        ("hm" * 5_000, False),
    ],
)
def test_a_hum_that_may_be_read_in_many_ways_is_read_at_once(text, hum):
    begun = time.process_time()
    assert is_hum(text) is hum
    assert time.process_time() - begun < 0.1
