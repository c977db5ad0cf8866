"""Chinese in two scripts: which one somebody writes, and one form of the words that the tables of turns know.

Texts that are compared with the tables (`backchannels.py`, `turn_words.py`, `completeness.py`, `number_requests.py`)
are in simplified characters, whatever is shown. Only characters of the tables are known here. Pure: text in, text out.
"""

from __future__ import annotations

TAIWAN, HONG_KONG = "zh-TW", "zh-HK"

_SIMPLE = str.maketrans(
    "萬與兩個爲為麼從會來別厲後嗎噠問餵聲夠實對么當換暫樣沒點著確繼續給見說説請講誰謝贊讚過還這裏裡錯閉難靜題須"
    "號塊歲錢鐘鍾張億週層樓輛條雙間鎊歐禮關於雖額話訂佔單時產誕們"
    "電機碼賬帳編學區證驗郵撥報發訴認復輸數幾媽醫經領導網買幫覺體觀遲識觸書賺愛騙釣採聞鄰師專爺護貨飛開讀辦長遊傳趕帶"
    "撈慮載習貸選夢約記錄輪撿達總剛聽讓贏瞞鬥敵勝繞搶邁擠顏語詞據氣預親闆戶員務銷東較隨刪",
    "万与两个为为么从会来别厉后吗哒问喂声够实对么当换暂样没点着确继续给见说说请讲谁谢赞赞过还这里里错闭难静题须"
    "号块岁钱钟钟张亿周层楼辆条双间镑欧礼关于虽额话订占单时产诞们"
    "电机码账账编学区证验邮拨报发诉认复输数几妈医经领导网买帮觉体观迟识触书赚爱骗钓采闻邻师专爷护货飞开读办长游传赶带"
    "捞虑载习贷选梦约记录轮捡达总刚听让赢瞒斗敌胜绕抢迈挤颜语词据气预亲板户员务销东较随删",
)


def in_simple_characters(text: str) -> str:
    """The text with the words of the tables in simplified characters; of other words perhaps a part."""
    return text.translate(_SIMPLE)


def traditional_script(tag: str | None) -> str | None:
    """TAIWAN or HONG_KONG for a tag of Chinese in traditional characters (`zh-TW`, `zh_Hant_HK`, `yue-HK`), which are
    written a little differently there; None for all others, also where a tag does not tell."""
    base, *parts = (tag or "").lower().replace("_", "-").split("-")
    if base not in ("zh", "cmn", "yue") or "hans" in parts:
        return None
    if "hk" in parts or "mo" in parts:
        return HONG_KONG
    return TAIWAN if "tw" in parts or "hant" in parts else None
