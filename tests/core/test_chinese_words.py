"""Chinese is cut for the voice where words meet, and often enough: never inside a word of everyday."""

from __future__ import annotations

from itertools import product

import pytest

from realtime.core.chunker import Chunker
from realtime.core.clauses import find_cuts
from realtime.core.wording import Wording
from tests.each import each

# Words with a character in them that usually ends or begins a word, or with a numeral.
WORDS = """
基因 病因 起因 咖啡因 诊所 研究所 派出所 事务所 住所 内在 外在 潜在 所在地 不在 自在 犹如 诸如 不如 例如 因而 时而 从而 偿还 退还
归还 听从 服从 饱和 总和 柔和 古都 京都 全都 首都 火把 拖把 棉被 造就 将就 成就 着想 着装 着陆 着火 着急 过期 过滤 过敏 过去 过年
的士 的确 目的地 了解 了断 吞并 一并 茶几 网吧 吧台 合并 淹没 沉没 变更 冷却 刹那 自我 其他 不但 转让 谦让 无所谓 众所周知
同一 统一 唯一 进一步 逐一 张三 李四 乱七八糟 一心一意 负三 五比三 加三百 不一样 每一个 另一个 同一个 其一 高三 大二 老三 长三角
二维码 星期三 第一 二百三十五 二零二四年 退還 派出所 內在 總和 過敏 著急 研究所 不一樣
""".split()
FRAMES = ["今天我们要说说{}问题好吗", "您可以去最近的{}看一看", "这是关于{}最新的消息", "我覺得{}還是很重要"]


@each(product(WORDS, FRAMES))
def test_no_word_of_everyday_is_cut_in_two(word: str, frame: str) -> None:
    text = frame.format(word)
    inside = range(text.index(word) + 1, text.index(word) + len(word))
    assert not [text[: cut.end] for cut in find_cuts(text, final=True) if cut.end in inside]


SENTENCES = [
    "科学家们|最近正在利用|最新的|基因编辑技术治疗遗传病",
    "您可以去|最近的|社区医院|或者派出所办理这项证明手续",
    "如果您想进一步了解|更多关于退还押金的|具体办理流程",
    "张三和李四|还有王五他们|三个人昨天一起去爬山了",
    "同一个问题不同的|人会给出完全不一样的|回答和看法",
    "北京明天的|最低气温预计会下降到负三度左右请注意保暖",
    "光从太阳到地球大约需要走八分二十秒左右的时间",
    "你可以用|Python写一个|很短的|程序然后再试一试看看",
]


def places(marked: str) -> set[int]:
    ends = [len(part) for part in marked.split("|")]
    return {sum(ends[:count]) for count in range(1, len(ends))}


@pytest.mark.parametrize("marked", SENTENCES)
def test_a_sentence_is_cut_where_a_speaker_may_pause(marked: str) -> None:
    sure = {cut.end for cut in find_cuts(marked.replace("|", ""), final=False) if not cut.poor}
    assert places(marked) <= sure


@each(SENTENCES)
def test_what_is_still_to_come_takes_no_place_back(marked: str) -> None:
    text = marked.replace("|", "")
    whole = {(cut.end, cut.poor) for cut in find_cuts(text, final=False)}
    for end in range(1, len(text)):
        assert {(cut.end, cut.poor) for cut in find_cuts(text[:end], final=False)} <= whole


@each(product(SENTENCES, [1, 2, 3]))
def test_the_first_chunk_of_a_long_clause_is_no_longer_than_promised(marked: str, size: int) -> None:
    text, chunker, received = marked.replace("|", ""), Chunker(), 0
    while received < len(text):
        chunker.feed(Wording.plain(text[received : received + size]), received / 100)
        received += size
        if chunks := chunker.poll(received / 100):
            assert len(chunks[0].text) <= 16
            assert received <= 21  # with the letters of "Python"
            return
    raise AssertionError("nothing left before the end")


def test_places_that_only_the_model_sees_are_poor_and_stand_where_no_other_is_near() -> None:
    cuts = find_cuts("光从太阳到地球大约需要走八分二十秒左右", final=True)
    assert [cut.poor for cut in cuts if cut.end > 2] == [True] * (len(cuts) - 1)
    assert min(cut.end for cut in cuts if cut.poor) >= 8
