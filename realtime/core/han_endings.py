"""Whether a Chinese text stops at a word that ends few sentences: 那个, 但是, 比如, 的话.

At such a place people hesitate, and transcribers misread what stands alone before the pause: 那个 is written 纳格,
但是 诞士. So words of two syllables are compared by their readings, without tones, unless what is written is likely
another word that is read so (尹伟 is a name, 哪个 is a question). Where sentences end with a word of that sound
(他还活着 and 或者, 我考了九十 and 就是), it is compared as it is written; where sentences end with
the word itself, what stands before it in its clause decides: 费用包括 leads on, 早餐也包括 is whole. Texts are in
simplified characters, without the marks at the end. Pure.
"""

from __future__ import annotations

import re

from realtime.core.han_readings import READINGS

_WORDS = (  # as they are written
    "或|嗯|呃|那个|但是|但|因为|所以|如果|然后|还有|就是|"
    "或者|或是|可是|而是|只是|并且|甚至|由于|关于|对于|为了|除非|即使|尽管|假如|要不|另外|首先|比如说|例如说|比方说|譬如|"
    "以及|即便|既然|无论|哪怕|因此|此外|总之|尤其|就像|按照|随着|非常|的时候|与此同时|(?:所以|而且|但是|因为|然后|觉得)不管|"
    "我认为|我希望|我感觉|我想说|我是说|我叫|我姓|那就|那我|就是说|我觉得吧|那个什么"
)
# These end sentences as well. On the right: with what of the clause right before them
_UNLESS_AFTER: dict[str, str] = {
    # Part of another word: 存在, 重要, 目的地; but not 保存在, 中国有, 大概要
    "在": "(?<![保储留库寄缓])存|(?<!来)自",
    "要": "[重必首纲摘]|(?<!大)概",
    "想": "[理梦幻感猜联预予空妄构着]|(?<!意)思|(?<!建)设",
    "有": "稀",
    "地": "[土基场工陆产田空现現圣余境拖扫]|(?<![意格])外|(?<![适恰正相])当|(?<![基根])本|(?<![潦草])草|各|目的",
    "得": "心",
    "对": "[反派核配]",
    "和": "(?<![气体水室高低])温|饱|(?<!温)[暖柔]|随",
    "与": "参",
    "给": "供|自",
    "向": "(?<![对官地双])方|(?<![生满同])意|志",
    "从": "(?<!衣)服|顺",
    "跟": "高",
    "把": "[拖火]",
    "被": "棉",
    # Told as a fact, or how something came about: 挺贵的, 没事的, 是我妈买的
    "的": (
        "(?:挺|(?<!野)蛮|怪(?![物兽人异])|(?<!能)够)[^的]{1,4}|没(?:什么|事|问题|关系)|"
        # Not what is wanted or asked: 我是想问一下上次我订的
        "^(?!.*(?:是[想要说问指]|[想要]问|想说|问一?下)).*"
        "(?<![还可但就只要或而的题候因思])是[^的]+[到来去买坐做写学吃拿开走送问订定换付寄带找画拍考借修]"
    ),
    # Nothing before them makes these end a sentence by themselves
    "是|这个": "(?!)",
    # Part of another word or of a fixed phrase: 何至于, 名副其实, 有意味, 删除了, 毫无根据, 大有作为
    "至于": "[不何]",
    "其实": "[副过符]",
    "意味": "[有的]",
    "除了": "[删解清免开拆消扣铲移去根废剪剔切卸戒破革拔驱]",
    "根据": "[没有无何么的乏个点为]",
    "作为": "[有无所的么何]",
    # All has been told before: 早餐也包括, 你先接着
    "包括": "[不没未都也全已均并起有经通统]|全部|所有",
    "接着": "[你您先请再来直续]",
    "同时": "[人个者不没都]",
    "[这那]个嘛": "[要就选买用拿吃看]",
    # Says what somebody or something is or does, and no adverb of what follows: 很特别, 长得好像, 跟别的比较
    "特别": "[很真挺太不没么啥好最更些点常分够有]",
    "好像": "(?<![记觉])得|[真都俩]|真的|两个?|[跟和与].*",
    "比较": "[个来的做行法一再先去不没要以能可想好互相]|自己|[跟和与拿将把].*|[帮让请].{0,3}",
    # Asks for a word of a language, and does not look for one: 英语怎么说呢
    "怎么说呢": "[语文话字词句]|知道|教我?",
    # Asks nothing, or what is asked was called a question: 我不想问, 我有个问题想问你
    "(?:想|请)[先再就]?问(?:问|一?下)?[你您]?(?:一?下)?|(?:麻烦|意思|[你您]好)问一?下|我[就还也]?要问[你您]?一?下": (
        "(?:[不没]|(?<!特)别)(?:太|再|是|有|人|什么)?|问题|[事话谁]"
    ),
    # Cannot be done better, or not as well: 再清楚不过, 打不过; but 可以打不过
    "不过": (
        "(?<![想要以会先])再.{1,3}|最(?!近|后|初).{1,3}|(?:[我你您他她它咱]们?|谁|[都也真还])+[^去来行是有在以能会想欢很好先要爱太]|"
        "(?<![以能会想欢很好先要爱太一点接享感难放])"
        "[好打说比气跑赢争敌瞒骗拗逃躲熬绕抵胜斗吵抢拼信放通透吃受活挨避越迈挤考玩看游唱喝撑度忍扛踢下]"
    ),
}
# What somebody asks for by what it is like, and not by what it is of: 小的, 加冰的; but not 小区的, 加拿大的
_LIKE = (
    "[大小冷热冰温甜辣酸苦咸淡贵新旧远长短高低早晚快慢软硬厚薄轻重粗细宽窄亮暗红黑白蓝绿黄灰紫粉圆方]|便宜|安静|简单|"
    "干净|舒服|方便|清淡|轻松|漂亮|暖和|凉快|普通|宽敞|结实|好[吃喝玩听看笑用闻]?"
)
_TASTE = "(?:冰|糖|奶|盐|辣|热|蛋|葱|香菜|醋|油|酒|珍珠)"
_CHOICE = (
    f"(?:(?:很|真|太|非常|有点|比较|特别|更|最|不)?(?:{_LIKE})|(?:{_LIKE})一?点|(?:不要|[加去少多无不])放?{_TASTE}|"
    "[大中小](?:杯|份|碗|号|码|瓶|袋|包|盒)|[双单]人|[深浅]?[红黑白蓝绿黄灰紫粉棕橙金银彩]色|"
    "靠(?:[窗门边墙海湖]|过道|走廊)|朝[东南西北])"
)
_WANTED = (
    "(?:(?:我们?)?(?:还是|就|都|也|只)?(?:想?要|想?[选来买用换找看听]|喜欢|有没有)|[给帮]我[来拿换找放讲买]?|推荐)"
    "(?:几?[个杯份件首本]|[点些])?"
)
# These end sentences where the stop is sure: what may stand in the clause before them then
_IF_SURE_AFTER: dict[str, str] = {
    "在": "[不还都也]|一直|正好|有人",
    "[现現]在": "^(?:就|从|是)?",
    "要": "不(?:需|想)|[都全]",
    # Nothing is to be told of a thing: not 密码好像是, 我总是
    "是": (
        "^(?:[我你您他她它咱]们?|[这那]个?|就|也|[我他她]们?(?:觉得|[想猜])){0,3}"
        "(?:应该|可能|好像|大概|也许|当然|的确|确实|真的|肯定|一定|[全都])|^[我他她]们?[也还都]?觉得|^我?[想猜]"
    ),
    "有": "[会都全该能]|肯定|一定",
    "想": "不",
    "对": "绝|[都全]",
    "得": "[值懂晓舍认难]|[不还都]记",
    "给": "[不没别]|不用",
    "跟": "[不没别]",
    "把": "[一两几]",
    "这个": "(?:要|就|选|喜欢|换|用|拿|看|是|试|点|听|订|[要想][买吃喝看听订试])",
    "的": (
        "^(?:[这那它他她我你]们?|[这那]个)?(?:(?:就|也|都)?是(?!这样)|不是)[^的在把给跟和对从让用]{1,4}|"
        "(?:^|[我你他她它们都也就定肯不])会(?![议员计场展面])[^的说我你您他她它咱把给跟和对用在从让向改查订天年月]{1,3}|"
        f"^[^一两几这那把给跟和对]*(?:很|真|太|非常|有点|比较|特别|更|最)(?:{_LIKE})|"
        "^(?:我们?)?可以[^的我你您他她它咱把给跟和对用换查订天年月]{1,2}|"
        f"^(?:{_WANTED})?{_CHOICE}|^{_WANTED}(?<=[点些])[吃喝]|"
        "^[都是也]?(?:一样|应该|必须|正常|免费|差不多|认识|知道|愿意|同意|自己|假)"
    ),
}
# Something is to be done with what is of somebody: 帮我把客厅的, 我要取消我的
_DOES = "(?!.*(?:[把跟]|给(?!我)|对(?!的)|取消|修改|打开|[改查订关](?!的)|.[我你您他她它咱]))"
# So do these where they answer a question, and no more is begun in them: 上午十点的, 周末有; but 一张靠窗的, 我朋友的
_ANSWERS_ASKED = re.compile(
    "^(?:我?(?:还是|就)?(?:要|选)|就|是|那就)?这个$|"
    f"^{_DOES}(?!然后|但|因为|所以|那|嗯|呃|就是|还有|如果|是这样|[你您他她它咱])"
    "(?!.*[这那哪每][个张种家件份位杯只条本台间次辆双套把瓶])"
    "(?!.*(?<!十)[一两几][^点号楼样次月层])(?!我(?!(?:还是|就|想|都)?(?:要|选|喜欢|用|换)))[^的]{1,7}的$|"
    "^[^我你您他她它咱然但因所那还只就想需请]{2,4}[有要]$"
)
_OF_SOMEBODY = re.compile(f"^{_DOES}(?!然后|但|因为|所以|那|嗯|呃|就是|还有|如果)[^这那一两的]{{1,6}}的$")
_ASKS_WHOSE = re.compile("谁(?!.*哪)")
_ASKS = re.compile("[?？][^?？]{0,8}$")
_FROM = re.compile("从([^从]{1,8})到$")
# 从X到 has told all where X says that something did not happen or, at its end, how it succeeded: 从网上买到
_NEVER = re.compile("^来(?![宾广])|^此|[没不到]|未(?![来央])|已经|一直|可以")
_SUCCEEDED = re.compile(
    "(?:[想听看买找做见学觉得拿收遇碰感达来飞走跑开借取读查搜问弄摸抓等轮捡拍录记考猜订约租闻梦"
    "说谈提讲办领用长数游搬爬送传寄赚抄爱"
    "赶带迟受识解触悟料捞挖虑载习知忙抢淘贷算求赢骗偷选挑救钓摘采招追尝嗅掉望回升降涨跌滑漏滚射吹摔]|[体领]会|观察|[进出]口)$"
)
_NAMES_A_PLACE = re.compile("(?:纽约|[小大]学|未来|理想|校长|恋爱|意见)$")  # or a time of life, all the same
_TICKET = re.compile(  # 订一张去; but 我坐第一班去
    r"[订定买要来抢][^第坐换每最早末下上这那同]{0,6}?[一两二三四五六七八九十\d][张班趟辆列][去到]$"
)
_PEOPLE = (
    # of the family
    "[妈爸哥姐弟妹]|婆婆|公公|[姐妹]夫|岳[父母]|嫂子|[表堂][哥姐弟妹]|妈妈|爸爸|哥哥|姐姐|弟弟|妹妹|爷爷|奶奶|外公|外婆|姥姥|姥爷|叔叔|阿姨|舅舅|父母|老婆|老公|妻子|丈夫|"
    "儿子|女儿|孩子|家人|家里人|亲戚|对象|"
    # of work and of the day
    "老师|同学|同事|老板|领导|经理|主任|校长|教练|朋友|男朋友|女朋友|室友|邻居|房东|中介|物业|医生|大夫|护士|律师|警察|客服|客户|"
    ".员|秘书|助理|前台|保安|顾客|客人|学生|小哥|销售|司机|师傅|导游|专家|"
    # by name, and nobody in particular
    "[小老](?![声心时是])[^的说]|[^跟和对叫让请听给找要]{1,2}(?:老师|先生|女士|小姐|经理|主任|医生|律师|师傅|[总哥姐叔姨])|人家|别人|有人|大家|[这那]个人|"
    # what people read
    "天气预报|新闻"
)
_WHEN = (
    "(?:今天|昨天|前天|那天|今早|昨晚|早上|上午|中午|下午|晚上|"
    "刚才|刚刚|刚|上次|之前|以前|后来|总是?|一直|经常|就|又|还|也|都)*"
)
_OTHERS = "[^不没别请让叫听跟和对给要在找问陪帮替等想向去由来告你您]{1,4}"  # 物业的人, 电视上
_SAID = re.compile(  # the whole clause tells only who said something
    "^(?:但是?|可是|因为|然后|而且|所以|不过|其实|结果|就是|反正|那|嗯|呃|哦|啊)*"
    f"{_WHEN}(?:[他她它]们?|(?:[我你您他她咱]们?的?|[这那][个位]|{_OTHERS}的?)?(?:{_PEOPLE}){{1,2}}|"
    f"{_OTHERS}(?:的人|[上里]))"
    f"{_WHEN}(?:[跟和对]我们?|告诉我们?)?说$"
)
_CLAUSE = re.compile(r"[^\s，,。！？、]*$")
_LONGEST_CLAUSE = 40  # characters
_ASKED_IN = 20  # characters of the end of what the other said
_DANGLING = re.compile(rf"(?:{_WORDS})$")
_LEADS_ON = [
    (re.compile(rf"(?:{words})$"), re.compile(rf"(?:{before})$")) for words, before in _UNLESS_AFTER.items()
]
_MAY_END = [
    (re.compile(rf"(?:{words})$"), re.compile(rf"(?:{before})$")) for words, before in _IF_SURE_AFTER.items()
]
_FILLER = re.compile(r"(?:^|[\s，。、,.说是要想我])额$")  # 呃; but 余额
_ANSWERS = re.compile(  # end in a dangling character and are whole all the same
    r"^(?:对|是|有|要|想|嗯)$|"
    r"(?:[好是对真会行]的|可以的|没有|不是|是不是|有没有|不要|要不要|不对|谢谢你的|说[的得]对|也[是有要想在])$"
)
_IF = re.compile(r"的话$")
_THE_WORDS_OF = re.compile(  # 话 is what was said: 听妈妈的话, 这是他说的话
    r"^(?!.*(?:如果|要是|假如|万一|的话.)).*(?:(?:[听信懂]|记[住得]|忘[记了]|明白|理解|同意|转[告达]).{0,8}|[说讲]过.{1,6}|[说讲骂写别])的话$"
)
# Readings of words that are misread, and the characters that make likely another word of it
_READ: dict[str, str] = {
    "na ge": "哪歌哥鸽阁",
    "zhe ge": "着者歌哥鸽阁",
    "dan shi": "胆单郸史诗食",
    "yin wei": "尹殷音淫阴",
    "suo yi": "衣",
    "ru guo": "过入辱",
    "ran hou": "",
    "bi ru": "",
    "li ru": "",
    "er qie": "",
    "na me": "",
    "sui ran": "",
}
_NASAL_LOST = re.compile("[带代待戴][事士世氏]$")  # of 但是
_HUMS = frozenset(("an", "en", "e"))  # 这个，嗯 is read 这个案


def dangles(text: str) -> bool:
    """Whether it ends with a word that ends few sentences."""
    if _ANSWERS.search(text) or text.endswith("哪个"):
        return False
    if _IF.search(text):
        return not _THE_WORDS_OF.search(text)
    if _DANGLING.search(text) or _FILLER.search(text) or _NASAL_LOST.search(text) or _is_misread(text):
        return True
    if _clause_leads_on(_CLAUSE.findall(text[-_LONGEST_CLAUSE:])[0]):
        return True
    return _reading(text[-1:]) in _HUMS and _is_misread(text[:-1])


def may_end(text: str, before: str) -> bool:
    """Of a text that dangles: whether it ends as many sentences as it leads on, so that a sure stop is believed.

    `before`: what the other said last, perhaps a question."""
    if _DANGLING.search(text) or _IF.search(text):
        return False
    clause = _CLAUSE.findall(text[-_LONGEST_CLAUSE:])[0]
    for words, sure_after in _MAY_END:
        if (found := words.search(clause)) and sure_after.search(clause[: found.start()]):
            return True
    if not _ASKS.search(before):
        return False
    return bool(
        _ANSWERS_ASKED.search(text) or (_ASKS_WHOSE.search(before[-_ASKED_IN:]) and _OF_SOMEBODY.search(text))
    )


def _clause_leads_on(clause: str) -> bool:
    """Whether it stops where its words so far say that more follows: 从北京到, 我同事跟我说."""
    for words, whole_after in _LEADS_ON:
        if found := words.search(clause):
            return not whole_after.search(clause[: found.start()])
    if found := _FROM.search(clause):
        told = found[1]
        return bool(_NAMES_A_PLACE.search(told)) or not (_NEVER.search(told) or _SUCCEEDED.search(told))
    return bool(_TICKET.search(clause) or _SAID.search(clause))


def _is_misread(text: str) -> bool:
    """Whether the last two characters are read as such a word, and are hardly another one."""
    ending = text[-2:]
    others = _READ.get(" ".join(map(_reading, ending)))
    return others is not None and not any(char in others for char in ending)


def _reading(char: str) -> str:
    """The syllable without its tone; nothing for what is no Chinese character."""
    syllable: str = READINGS.get(char, "")
    return syllable[:-1]
