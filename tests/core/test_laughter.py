"""Laughter and coughs want no turn, however a transcriber writes them; what only looks like them does."""

from realtime.core.interruption import has_words
from realtime.core.short_words import is_backchannel, is_hum
from tests.each import each

LAUGHING = (
    "Ha ha ha.|Ahahaha!|Ahahah|Bwahaha|Bwah ha ha|Mwahahaha!|Muahaha|Bahaha|Gahaha|Dha-ha-ha|Dha ha ha|Tehehe|A ha ha|Yuhu-haha-haha-haha.|Huhuhuhu|"
    "Hehehehehehehehehehe|He he he.|Héhéhé|Hé-hé-hé|He, he, he, he, he, he, he.|Hee hee hee!|jejeje|Ха-ха-ха!|хе хе|Хи-хи|χαχα|ههههه|هاها|הההה|חחח|"
    "ㅋㅋㅋ|ㅎㅎ|하하하|히히|크크|哈哈哈|嘻嘻|嘿嘿嘿|呵呵呵|咳咳|阿嚏|ハハハ|フフフ|はははは|あはは|あははっ|えへへ|"
    "(laughs)|[Laughter]|*laughs*|(Clears throat)|[coughs] [sighs]|(笑)|[笑声]|（咳嗽）"
).split("|")
SAYING = (
    "Ho ho ho|Hi hi hi|He was|He, he was|Hey hey hey|Hé, hé, hé !|HÉ! HÉ! HÉ!|Hé, hé, hé!|Hè hè hè|Omaha|Bahamas|Idaho|Tahoe|Wahaha|Nah|Nah, ha ha.|Taj Mahal|Ha, no.|Haha, stop.|"
    "Huhu!|Je-je|Stop-hahaha|No-hahaha|Hehe no|Laughter.|Laughing|(laughs) Stop.|[Stop]|(speaking in foreign language)|はは|ひふ|하나|하지|ха нет|咳嗽|555|A hat"
).split("|")


@each(LAUGHING)
def test_laughter_is_a_hum_and_stops_no_answer(text):
    assert is_hum(text)
    assert not has_words(text, 900.0, whole=True, sure=True, before_answer=False)


@each(SAYING)
def test_what_looks_like_laughter_says_something(text):
    assert not is_backchannel(text)
