"""Which short texts after a question say nothing yet: who says them asks for time, or has only begun to answer.

After a question nearly each short word is its answer, so what is none has to be known: breath ("Erm."), asking for time
("One second", 等一下), a beginning ("My name's", 名字叫), the name of what was asked for ("First name"), a word about
the question ("Good question", 抱歉), and what tells only how, where about or when about (目前, "honestly", "near").
Knows Chinese and English. Pure.
"""

from __future__ import annotations

import re

from realtime.core.characters import HAN
from realtime.core.short_words import is_hum

# -- English --

_MANNER_EN = (  # adverbs: what they tell about is still to come
    "honestly basically definitely probably possibly perhaps maybe mostly mainly usually normally typically generally "
    "currently presently originally initially recently lately ideally hopefully personally preferably certainly surely "
    "obviously clearly apparently technically actually really literally exactly precisely roughly nearly almost about "
    "fairly pretty quite rather simply only just even still again often sometimes always never ever once soon early "
    "late later sometime somehow nowadays today's tonight's firstly secondly lastly finally eventually frankly "
    "essentially supposedly formerly previously namely especially particularly specifically potentially likely "
    "officially legally formally professionally commonly unfortunately luckily sadly anyway anyways however "
    "otherwise therefore thus besides meanwhile instead else"
)
_PLACE_EN = (  # prepositions, and adverbs of place that name none
    "near nearby close around before after until till during behind beside beneath below above across along among "
    "amid against toward towards through throughout within beyond opposite outside inside past since except "
    "despite unlike via per upon onto off out up down far away somewhere anywhere everywhere elsewhere abroad"
)
_QUANTITY_EN = (  # of what is still to come
    "several many few lots lot plenty half much more most every each another other others such certain various "
    "different similar same own next last first final enough less fewer all whole kind kinds sort sorts type bit both "
    "someone somebody something everyone everybody thing things"
)
_MISC_EN = (
    "oh ah um uh er erm euh eh aw oof gosh jeez goodness god lord boy man dear wow lemme let lets let's alright right "
    "thinking depends depending considering including regarding following looking trying living working staying "
    "studying wondering called calls call calling named lives lived live born located based prefer love "
    "hang bear hold good nice great cool perfect interesting tricky hard tough funny lovely awesome amazing "
    "excellent wonderful fantastic question one my your our their the a an that's it's it is that what so well and "
    "is was me us him them middle maiden given"
)
# A text of nothing but these words says nothing yet
_SAYS_NOTHING_EN = frozenset(f"{_MANNER_EN} {_PLACE_EN} {_QUANTITY_EN} {_MISC_EN}".split())
LEADS_ON_EN = frozenset(  # a name goes on after it: New York, orange juice
    "new san los las saint st north south east west northern southern eastern western el la le de del van von mr "
    "mrs ms dr hong sri costa puerto buenos rio tel kuala united saudi dark light extra hot ice iced big small "
    "little fort port cape mount mt lake baton salt upper lower inner outer central greater grand great santa santo "
    "são sao belo abu addis phnom ho chi ciudad nova kota bandar johor cedar sioux burkina ivory czech dominican "
    "trinidad bosnia mister doctor sir miss madam professor prof captain navy sky pale bright deep royal baby neon "
    "kind sort near around before after until behind between beside towards toward across within beyond opposite "
    "called named living staying located based born long bit".split()
)
_TO_SOMEBODY_EN = (
    r"excuse me|let me(?: [a-z]+)?|in fact|to be honest|honestly speaking|pardon(?: me)?|sorry|"
    r"(?:wait|hold on|hang on)(?: (?:wait|up|on|please))*|"
    r"(?:(?:that's|it's|what) )?(?:an? )?(?:very |really )?(?:good|great|nice|tough|hard|tricky|interesting|excellent) "
    r"question"
)
_ASKED_FOR_EN = (
    "name|names|nickname|surname|city|town|country|state|place|hometown|address|language|colou?r|favou?rite|size|"
    "brand|model|season|department|flavou?r|number|answer|choice|capital|area|region"
)
_TIME_EN = (
    r"(?:(?:just|only|oh|uh|um|ah|so|well|yeah|yes|sure|right|sorry|okay|ok|please|give me|wait|"
    r"hold on|hang on) )*"
    r"(?:(?:one|a|an|half a|another|two|a couple|couple|a few|few|some|one more)(?: of)? )"
    r"(?:quick |brief |little |tiny |more )?(?:secs?|seconds?|moments?|minutes?|mins?|mo)(?: please)?"
)
_BEGINS_EN = (  # an answer: "My full name's", "My friends call me", "We're"
    r"(?:[a-z']+ )*(?:calls?|called|named?) me(?: just)?|[a-z]+'(?:re|ve|ll|d|m)|(?:[a-z]+ )*[a-z]+n't|"
    r"(?:(?:my|your|his|her|our|their|the|this|that|a|an) (?:[a-z]+ ){0,3}[a-z]+|he|she|it|that|there|here|what|who|"
    r"one|everybody|everyone|today|name|let)'s|"
    rf"(?:(?:my|the|a|our|his|her|first|last|full|legal|middle|given|family|nick|user|home|native|mother|favou?rite|current|big|"
    rf"real|whole|whose) )*(?:{_ASKED_FOR_EN})(?:'s)?"
)
_ASKS_TIME_EN = re.compile(rf"{_TO_SOMEBODY_EN}|{_TIME_EN}")
_BEGUN_EN = re.compile(_BEGINS_EN)

# -- Chinese --

_MANNER_HAN = (
    "目前|现在|现如今|如今|当前|眼下|暂时|临时|一般|通常|平时|平常|往常|经常|常常|有时|偶尔|基本上?|大致|大体上?|大概|大约|"
    "估计|应该|可能|也许|或许|说不定|差不多|几乎|毕竟|其实|实际上|事实上|严格(?:来说|说|地说|讲)|老实说|坦白说|说实话|说真的|"
    "总之|反正|总的来说|一般(?:来说|来讲|情况下?)|通常(?:来说|情况下?)|主要|首先|其次|最后|最好|尽量|尤其|特别|比如|例如|譬如|好像|"
    "似乎|显然|当然|确实|真的|只|只有|仅仅|至少|最少|最多|大多|多半|最近|近来|近期|刚刚?|刚才|方才|将来|以后|以前|之前|之后|"
    "后来|原来|本来|原本|起初|一直|突然|忽然|一时|正好|恰好|而且|然后|所以|不过|虽然|除了|关于|对于|按照|通过|根据|如果|以及|或者?|"
    "同时|另外|此外|并且|无论|不管|即使|由于|既然|只要|只是|可是|但是|但|比较|更|最|正在?|还在"
)
_PLACE_HAN = "附近|旁边|周围|周边|靠近|接近|临近|邻近|毗邻|挨着|类似|偏向?|靠|离|距离?|附近的|旁边的"
_VERBS_HAN = (
    "打算|准备|计划|希望|选择|选|建议|决定|推荐|考虑|认为|感觉|记得|住|居住|出生|来自|位于|属于|前往|叫做?|名叫|称呼|喜欢|爱|喜爱|"
    "偏爱|算|搬|(?:老?家|家乡)[在是]|现居|暂[住居]|定居|提到|说到|吃|喝|点|去|来|在|是|姓|爱吃|爱喝|到|出差|出发|搬家|(?:出差|搬|来|走|飞|开|调|回|刚|住|去|派|转)到"
)
_ORDER_HAN = (
    "[下上]一?[个次位]|[下上这那]一|一?[个种家座]|许多|很多|大?多数|大部分|各种|所有|"
    "另外?一?个|第[一二三四五六七八九十]+|前面|后面|某个?|各个?|每个?|任何|某些|有些|一些"
)
_TO_SOMEBODY_HAN = (
    "抱歉|不好意思|对不起|劳驾|拜托|麻烦(?:您|你|了)?|打扰(?:您|你|了)?|好问题|问得好|这个嘛?|那个嘛?|怎么说呢?|"
    "别急|别着急|不急|慢点|慢着|且慢"
)
_THINK_HAN = "想|看|查|找|考虑|思考|思索|回忆|琢磨|斟酌|算|问|数|确认|核对|翻|瞧|听|试|挑|犹豫|缓"
_A_WHILE_HAN = "下|会儿?|片刻|(?:一|几|两|半)(?:秒钟?|分钟?)|时间"
_TIME_HAN = (  # 稍等, and what somebody does for a while: 想一下, 看看. The verb alone is an answer (看, 确认)
    r"(?:请|麻烦|您|你|先|让|容|给|我们?|再|得|要|还|就|好好){0,5}"
    rf"(?:稍?等|稍候|稍后|等候|(?P<verb>{_THINK_HAN})(?:我|您)?(?:一|了)?(?:(?P=verb)|{_A_WHILE_HAN}))(?:我|您)?(?:一|了)?"
    rf"(?:等|{_THINK_HAN}|{_A_WHILE_HAN}|些|着|清楚|[啊哈吧哦呢嘛呀]){{0,4}}"
)
_LABEL_HAN = (
    "(?:本|全|大|小|真|英文|中文|学|网|艺|原|曾用|乳|笔|昵)名|姓名|名字|昵称|姓氏?|地址|住址|城市|国家|省份?|语言|颜色|品牌|"
    "牌子|型号|科室|部门|专业|季节|尺码|口味|职业|工作|目的地|地方|地点|答案|家乡|日期"
)
_HALF_HAN = (  # of a job, of the name of a city or a country; and who calls somebody something
    "高级|资深|初级|中级|首席|全职|兼职|专职|注册|私人|内蒙|呼和|乌鲁|哈尔|石家|齐齐|佳木|牡丹|连云|秦皇|葫芦|景德|攀枝|平顶|马鞍|驻马|六盘|"
    "嘉峪|鄂尔|黑龙|新加|加拿|马来|香格|西双|澳大|旧金|洛杉|华盛|菲律|免贵|大家|别人|人家|朋友们|同事们|家里人|同学们"
)
_FIRST_HAN = r"(?:好的?|对了?|是的|行|那|我们?|你们?|您|就|也|还|都|想|要|是|在|很|[嗯呃啊哦]){0,4}"
_ASKS_TIME_HAN = re.compile(rf"{_FIRST_HAN}(?:{_TIME_HAN}|{_TO_SOMEBODY_HAN})[啊呀吧呢嘛了的]?")
_BEGUN_HAN = re.compile(
    rf"{_FIRST_HAN}(?:(?:{_MANNER_HAN}|{_VERBS_HAN}|{_PLACE_HAN}|{_ORDER_HAN}|{_HALF_HAN}|的?(?:{_LABEL_HAN})){{0,5}}|离[{HAN}]{{2,}})[啊呀吧呢嘛了的]?"
)

_HAS_HAN = re.compile(f"[{HAN}]")
_MARKS = re.compile(r"[\s,，、;；。.!！]+")
_HOW_LONG = re.compile(r"\bhow (?:long|many (?:seconds|minutes))\b|多久|多长|几(?:分钟|秒)")


def asks_for_time(text: str, asked: str) -> bool:
    """Whether a short text, in small letters and simple characters, is breath, asks to wait or is about the question
    only: after it people go on, whatever mark a transcriber writes. What was asked about is an answer: 查一下 after
    要我查一下吗, "half a minute" after "how long"."""
    words = _without_marks(text)
    if is_hum(text):
        return True
    if _HAS_HAN.search(words):
        found = _ASKS_TIME_HAN.fullmatch(words)
        verb = found["verb"] if found else None
        return found is not None and not (verb is not None and verb in asked) and not _HOW_LONG.search(asked)
    return _ASKS_TIME_EN.fullmatch(words) is not None and not _HOW_LONG.search(asked.lower())


def begins_answer(text: str) -> bool:
    """Whether such a text says nothing yet of what was asked for, but how, where about or when about."""
    words = _without_marks(text)
    if _HAS_HAN.search(words):
        return _BEGUN_HAN.fullmatch(words) is not None
    return _SAYS_NOTHING_EN.issuperset(words.split()) or _BEGUN_EN.fullmatch(words) is not None


def _without_marks(text: str) -> str:
    words = " ".join(_MARKS.split(text)).strip()
    return words.replace(" ", "") if _HAS_HAN.search(words) else words
