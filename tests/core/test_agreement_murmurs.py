"""Agreement of several words stops no answer; what asks to stop or to answer in the same frames does."""

from realtime.core.backchannels import AGREEMENT
from realtime.core.interruption import has_words
from realtime.core.short_words import ends_with_command, is_backchannel, is_whole_answer, takes_turn
from tests.each import each

AGREEING = (
    "That's great.|That's true.|That's so cool.|That is very nice.|Oh, that's interesting.|Wow, that's amazing.|It's really good.|This is lovely.|"
    "That's good to know.|That's a good idea.|That's correct.|Very interesting.|Very cool.|So nice.|So true.|Pretty cool.|Quite right.|Absolutely right.|"
    "How nice.|How interesting.|Sounds great.|Sounds right.|That sounds fair.|Sounds okay.|Great idea.|Good thinking.|Makes a lot of sense.|"
    "That makes total sense.|I agree.|I completely agree.|I get that.|I see what you mean.|I'm with you.|I'm listening.|Me too.|You are right.|"
    "You're so right.|Keep going.|Carry on.|Please continue.|Continue.|Please go ahead.|Too true.|Copy that.|Beautiful.|Fair.|O.K.|Okie dokie.|"
    "Yes sir.|Okay, that's perfect.|Mm, that's nice.|LOL.|"
    "肯定|肯定的|那肯定|赞|棒|太牛了|真牛|太强了|那挺好|那不错|也不错|有点意思|那太好了|那真好|真不错啊|了不起|听起来很棒|能理解|可以理解|我能理解|"
    "瞭解|瞭解了|这样|這樣|啊这样|嗯，這樣|对，就是这样|是这么回事|原来是这么回事|是这个道理|这倒也是|那也是|我也觉得|我也这么想|我也是|我也觉得挺好|"
    "同意你说的|我同意你的观点|一点都没错|正确|继续说|往下说|你接着说|接着说吧|说吧|你讲|我在听|在听|听着呢|在呢|okay的|哦，那很好|对，我也这么觉得"
).split("|")
ASKING = (
    "That's enough.|That's wrong.|That's bad.|That's not true.|That's it.|That's all.|That's fine.|That's okay.|That's great, stop.|That's good, next.|"
    "Very funny.|Very long.|Too long.|Too much.|So what?|So how?|So far?|Pretty slow.|How much?|How many?|How long?|How so?|How come?|How good?|"
    "Sounds wrong.|Sounds like it.|I don't agree.|I disagree.|I see what.|I like that one.|Bad idea.|Good question, but why?|Good night.|"
    "Sweet.|Neat.|Keep it.|Keep quiet.|Carry on later.|Continue in English.|Please stop.|Please.|Please wait.|You're wrong.|Me first.|Makes no sense.|"
    "Look.|No way.|Thank you.|Yes, please.|"
    "那不好|那不对|这不行|可不行|那可不行|那可不好|太慢了|太长了|太贵了|真慢|很慢|听起来不好|不合理|不正确|肯定不对|肯定吗|我也不|我也不要|我也要|我不同意|"
    "我觉得不好|我觉得太慢|是这样吗|不是这样|不能理解|没听懂|没记住|听着|说重点|说慢点|别继续|继续吗|继续播放|接着呢|你讲什么|在哪|好了|行了|牛|谢谢|不会吧"
).split("|")


@each(AGREEING)
def test_agreement_stops_no_answer(text):
    assert is_backchannel(text)
    assert not takes_turn(text)
    assert not has_words(text, 450, whole=True, sure=True, before_answer=False)


@each(ASKING)
def test_what_is_like_agreement_and_asks_for_something_stops_it(text):
    assert not is_backchannel(text)
    assert has_words(text, 450, whole=True, sure=True, before_answer=False)


@each(f"{agreeing} {command}" for agreeing in AGREEING[::3] for command in ("No.", "Stop!", "不对", "等等"))
def test_a_command_after_agreement_stops_it(text):
    assert ends_with_command(text)
    assert has_words(text, 450, whole=True, sure=False, before_answer=False)


@each(
    "That's great|I agree|I think so|How nice|Sounds good to me|Please continue|我也觉得|我也是|这样|那太好了|就是这样".split(
        "|"
    )
)
def test_sentences_begin_with_it_so_it_is_no_whole_answer_by_itself(text):
    assert not is_whole_answer(text)


def test_no_agreement_is_a_command():
    phrases = [phrase for line in AGREEMENT.values() for phrase in line.split("|")]
    assert [phrase for phrase in phrases if not is_backchannel(phrase) or takes_turn(phrase)] == []
