"""Lines and style words for the sandbox's lyrics, as data; `{}` is where a word of the prompt stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lines:
    """Pools of lines of one language."""

    titles: tuple[str, ...]
    edge: tuple[str, ...]  # intro and outro
    verse: tuple[str, ...]
    chorus: tuple[str, ...]
    turn: tuple[str, ...]  # pre-chorus, bridge and others


ENGLISH = Lines(
    titles=("{} Tonight", "Song of {}", "Back to {}", "{} and Me", "After the {}"),
    edge=("Ooh, {}", "Hear the {}, hear it call", "And the {} fades away", "Slowly now, {}"),
    verse=(
        "I walk along the road and think of {}",
        "The window holds a little light of {}",
        "You told me once the story of the {}",
        "There is no map that leads us to the {}",
        "I keep a letter with the name of {}",
        "The morning comes and brings the scent of {}",
        "Old friends are humming something like {}",
        "My hands are cold but warm is every {}",
    ),
    chorus=(
        "Oh, {}, stay a while with me",
        "Give me {}, set me free",
        "All the world is full of {}",
        "Sing it loud, sing it for {}",
        "Nothing shines as bright as {}",
        "Hold on, hold on to {}",
    ),
    turn=(
        "And slowly, slowly, {} is near",
        "If {} could speak, what would I hear",
        "One more step, and {} is here",
        "Let {} carry all my fear",
        "Turn around and look for {}",
    ),
)

CHINESE = Lines(
    titles=("{}之歌", "今夜的{}", "回到{}", "{}与我", "遇见{}"),
    edge=("啊，{}", "听，{}在呼唤", "{}慢慢远去", "轻轻地，{}"),
    verse=(
        "我沿着长街想起{}",
        "窗边还留着{}的光",
        "你曾对我讲起{}",
        "没有地图通往{}",
        "信里写着{}的名字",
        "清风带来{}的消息",
        "老朋友哼着{}的旋律",
        "走过人海只为{}",
    ),
    chorus=(
        "{}啊，请你留下来",
        "给我{}，让我自由",
        "整个世界都是{}",
        "大声唱吧，为了{}",
        "没有什么比{}更明亮",
        "紧紧抓住{}",
    ),
    turn=(
        "慢慢地，{}近了",
        "如果{}会说话",
        "再走一步就是{}",
        "让{}带走我的害怕",
        "转过身去寻找{}",
    ),
)

# Style tag -> beginnings of words that name it.
_GENRES = {
    "Pop": "pop 流行",
    "Rock": "rock guitar 摇滚",
    "Jazz": "jazz swing 爵士",
    "Blues": "blues 蓝调",
    "Folk": "folk acoustic 民谣",
    "Electronic": "electro techno edm synth 电子",
    "Hip-Hop": "hip-hop hiphop rap 嘻哈 说唱",
    "R&B": "r&b soul 灵魂",
    "Classical": "classical orchestra piano 古典 钢琴",
    "Country": "country 乡村",
}
_MOODS = {
    "Upbeat": "upbeat happy joyful cheerful fast 欢快 快乐 开心",
    "Melancholic": "sad melanchol lonely sorrow 悲伤 忧伤 伤感 孤独",
    "Romantic": "romantic love 爱情 浪漫",
    "Calm": "calm quiet soft slow gentle 安静 平静 慢",
    "Dreamy": "dreamy dream 梦幻 梦",
}
GENRES, MOODS = tuple(_GENRES), tuple(_MOODS)
STYLES = _GENRES | _MOODS
