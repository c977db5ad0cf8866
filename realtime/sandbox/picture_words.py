"""Which colours and things a prompt names, in English and Chinese.

It knows words only; `pictures` draws them. A longer word wins over a shorter one in it: 橙色 before 色, "golden" before
"gold".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Colour = tuple[int, int, int]  # red, green, blue, 0 to 255

_COLOURS: dict[str, tuple[Colour, str]] = {
    "red": ((205, 38, 38), "red crimson scarlet 红 紅 赤"),
    "orange": ((238, 130, 30), "orange 橙 橘"),
    "yellow": ((245, 212, 50), "yellow lemon 黄 黃"),
    "gold": ((212, 165, 40), "gold golden 金"),
    "green": ((48, 150, 70), "green emerald 绿 綠"),
    "cyan": ((40, 180, 190), "cyan teal turquoise 青"),
    "blue": ((40, 90, 205), "blue azure navy 蓝 藍"),
    "purple": ((128, 60, 170), "purple violet 紫"),
    "pink": ((245, 140, 180), "pink 粉"),
    "brown": ((125, 80, 45), "brown 棕 褐"),
    "black": ((25, 25, 30), "black 黑"),
    "white": ((245, 245, 245), "white 白"),
    "grey": ((135, 138, 142), "grey gray silver 灰 银 銀"),
}
# Thing: (top of the sky, foot of the sky, ground) where it sets the scene, and its words.
_THINGS: dict[str, tuple[tuple[Colour, Colour, Colour] | None, str]] = {
    "night": (((8, 10, 40), (40, 45, 95), (20, 28, 38)), "night midnight dark 夜 晚 黑暗"),
    "sunrise": (((80, 110, 190), (250, 175, 110), (90, 80, 80)), "sunrise dawn sunset dusk evening 日出 日落 黄昏"),
    "sea": (((120, 190, 240), (205, 230, 245), (25, 95, 150)), "sea ocean lake river beach wave 海 湖 河 江 浪"),
    "snow": (((150, 190, 230), (225, 235, 245), (240, 244, 250)), "snow winter ice snowy 雪 冬 冰"),
    "forest": (((140, 195, 225), (210, 230, 215), (45, 95, 50)), "forest tree trees wood jungle 森林 树 林"),
    "desert": (((130, 180, 225), (245, 220, 180), (215, 170, 105)), "desert sand dune 沙漠 沙"),
    "city": (((120, 160, 200), (215, 215, 220), (85, 88, 95)), "city street town building house 城 街 楼 房"),
    "mountain": (None, "mountain mountains hill peak 山 峰"),
    "moon": (None, "moon 月"),
    "star": (None, "star stars starry 星"),
    "cat": (None, "cat kitten 猫"),
    "dog": (None, "dog puppy 狗 犬"),
    "sofa": (None, "sofa couch 沙发"),
    "flower": (None, "flower flowers rose 花"),
    "lighthouse": (None, "lighthouse 灯塔"),
    "boat": (None, "boat ship sail 船 帆"),
    "person": (None, "person woman man girl boy child her him 人 女 男 孩"),
}  # fmt: skip
_TIMES = ("night", "sunrise")  # they decide the sky, a place the ground
_DAY = ((95, 160, 230), (215, 232, 245), (110, 160, 85))


@dataclass(frozen=True, slots=True)
class Scene:
    """What a prompt asks to see. Names are English and in the order of the prompt."""

    colours: tuple[str, ...]
    things: tuple[str, ...]

    @property
    def words(self) -> str:
        """The names in one line, for a font without the prompt's letters."""
        return " ".join((*self.colours, *self.things))

    @property
    def palette(self) -> tuple[Colour, ...]:
        """The named colours, red, green, blue."""
        return tuple(_COLOURS[name][0] for name in self.colours)

    @property
    def background(self) -> tuple[Colour, Colour, Colour]:
        """Top of the sky, foot of the sky, ground."""
        looks = {name: look for name in self.things if (look := _THINGS[name][0]) is not None}
        place = next((look for name, look in looks.items() if name not in _TIMES), None)
        time = next((look for name, look in looks.items() if name in _TIMES), None)
        sky, ground = time or place or _DAY, place or time or _DAY
        return sky[0], sky[1], ground[2]


def _pattern(words: dict[str, str]) -> re.Pattern[str]:
    # An English word stands alone; Chinese has no spaces.
    ordered = sorted(words, key=len, reverse=True)
    return re.compile("|".join(rf"\b{word}\b" if word.isascii() else word for word in ordered))


_COLOUR_NAMES = {word: name for name, (_, words) in _COLOURS.items() for word in words.split()}
_THING_NAMES = {word: name for name, (_, words) in _THINGS.items() for word in words.split()}
_COLOUR_PATTERN, _THING_PATTERN = _pattern(_COLOUR_NAMES), _pattern(_THING_NAMES)


def scene_of(prompt: str) -> Scene:
    """The colours and things of a prompt, each once."""
    text = prompt.lower()
    things = _THING_PATTERN.findall(text)
    # 黄昏 and 黑暗 are things, not colours; 沙发 holds no sand.
    text = _THING_PATTERN.sub(" ", text)
    colours = _COLOUR_PATTERN.findall(text)
    return Scene(
        tuple(dict.fromkeys(_COLOUR_NAMES[word] for word in colours)),
        tuple(dict.fromkeys(_THING_NAMES[word] for word in things)),
    )
