"""Writes `realtime/core/chinese_words.py`: which two characters a Chinese word joins where one of them tells an end.

Run it by hand with a list of words, each with a tab and a number that is smaller the more common it is: `cjdict.txt` of
ICU's sources (Unicode License), which has simplified and traditional words:

    python -m tools.chinese_words cjdict.txt

It is not part of any build. The characters that tell an end are those of `realtime/core/segments.py`.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from realtime.core.segments import ENDS_PHRASE, NUMERALS, STARTS_PHRASE, joins_numeral

TARGET = Path(__file__).parents[1] / "realtime/core/chinese_words.py"
LONGEST_WORD = 4  # longer ones are names and phrases
RAREST = 150  # as the list counts; rarer ones are mostly names of places in Japan
CHARACTERS_IN_A_LINE = 50
_HAN = re.compile("[\u4e00-\u9fff]+")
# Everyday words that the list lacks.
_MORE = """
的士 打的士 着装 着落 着调 着边 着魔 着床 着陆 着眼 将就 好在 返还 一并 并非 张三 李四 王五 赵六 大二 老二
老三 小三 腊八 过节 过奖 过日子 过生日 过春节 过马路 过山车 过把瘾 过滤 过夜 过户 过境 过硬 过瘾 过剩 过劳
过目 过冬 过桥 过河 过周末 过道 好几 十几 几十 一把 两把 这把 那把 几把 半两 一两 二两 三两 银两 全都 古都
京都 魔都 帝都 故都 旧都 花都 丰都 棉被 凉被 毛巾被 羽绒被 电热被 海洛因 可卡因 咖啡因 主因 外因 内因 成因
死因 诱因 病因 律所 会所 诊所 哨所 寓所 岗所 看守所 交易所 事务所 托儿所 卫生所 收容所 拘留所 住所 处所
旨在 意在 重在 贵在 志在 健在 住在 坐在 站在 放在 写在 落在 因而 进而 继而 时而 幸而 故而 甚而 从而 然而
反而 抑或 间或 宛如 恰如 正如 何如 譬如 诸如 犹如 不如 早就 迁就 造就 屈就 归并 兼并 某一 另一 任一 其一
无一 合一 逐一 同一 统一 唯一 之一 单一 专一 不一 高一 高二 初一 初二 三更 半夜三更 次第 门第 忘我 无我
小我 本我 超我 敌我 利他 排他 其他 刹那 亲和 附和 调和 谐和 柔和 随和 祥和 平和 总和 饱和 求和 讲和 还没
又没 也没 并没 从没 再也 再也没 他人 他乡 所在 所在地 目的地 了不起 了不得 了得 了却 了断 了然 了如指掌
长三角 珠三角 加三 减三 那个什么 过一会儿 过几天 过两天 过得去 过不去 着实 着笔 着色 着凉 吧台 呢喃 呢绒
吗啡 嘛呢 们儿 可是因 皆因 只因 正因 归因 起因 原因 出自 无所谓 有所 无所 若有所思 众所周知 力所能及
前所未有 理所当然 不知所措 各得其所 总而言之 自然而然 不约而同 脱口而出 突如其来 一如既往 泰然自若 自在
存在感 现在 内在美 还在 正在 都在 也在 就在 只在 不在 仍在 早在 远在 近在
"""
_HEAD = '''"""Which two characters a Chinese word joins where one of them tells an end: 基因, 派出所, 了解.

Made by tools/chinese_words.py from the words of ICU 78 (Unicode License V3, Copyright (c) 2016-2025 Unicode, Inc.)
and a few more. A table, and nothing else.
"""

from __future__ import annotations


def joined(last: str, following: str) -> bool:
    """Whether these two characters may be inside one word."""
    return last in _BEFORE.get(following, "") or following in _AFTER.get(last, "")


'''


def pairs(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Every two characters of a word between which a rule would cut."""
    for word in words:
        if 1 < len(word) <= LONGEST_WORD and _HAN.fullmatch(word):
            for last, following in pairwise(word):
                # "目的" alone has a "的" that ends no phrase
                if last != "的" or word[0] == "的" or word in _MORE.split():
                    yield last, following


def table(name: str, by_character: dict[str, set[str]]) -> str:
    """The source of one table."""
    lines = [f"{name} = {{"]
    for character in sorted(by_character):
        others = "".join(sorted(by_character[character]))
        parts = [others[at : at + CHARACTERS_IN_A_LINE] for at in range(0, len(others), CHARACTERS_IN_A_LINE)]
        if len(parts) == 1:
            lines.append(f'    "{character}": "{parts[0]}",')
        else:
            lines += [f'    "{character}": (', *(f'        "{part}"' for part in parts), "    ),"]
    return "\n".join([*lines, "}\n"])


def main() -> None:
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    words = [word for word, rarity in rows if int(rarity) <= RAREST]
    before: dict[str, set[str]] = defaultdict(set)
    after: dict[str, set[str]] = defaultdict(set)
    for last, following in pairs([*words, *_MORE.split()]):
        if following in NUMERALS:
            if not joins_numeral(last):
                before[following].add(last)
        elif following in STARTS_PHRASE:
            before[following].add(last)
        elif last in ENDS_PHRASE:
            after[last].add(following)
    source = _HEAD + table("_BEFORE", before) + "\n" + table("_AFTER", after)
    TARGET.write_text(source, encoding="utf-8")
    print(f"{TARGET}: {sum(map(len, before.values()))} and {sum(map(len, after.values()))} pairs")


if __name__ == "__main__":
    main()
