"""Whether a sentence asks for what is told digit by digit or letter by letter: "What is your PIN?", 您的手机号是多少？

A request has three parts: words that ask (what is, please tell me), whose it is and its name (your phone number), and
after the name nothing, or something that begins with a word that may follow it (so we can call you back). A sentence
that begins or asks otherwise only mentions the name: "Which floor is the phone on?". With "your" the words that ask may
be any but those of other uses ("Please reset your PIN."): to wait costs little, as few answers are digits alone. Pure.
"""

from __future__ import annotations

import re

from realtime.core.han_variants import in_simple_characters

# What is told digit by digit or in pairs, so that one digit is the first one. Not any number ("my lucky number is 7"),
# nor a code that may have one digit ("the exit code is 1").
NAMES = (
    r"(?:phone|telephone|mobile|cell(?:\s?phone)?|fax|card|account|routing|order|tracking|reference|confirmation|booking|"
    r"landline|callback|home|work|"
    r"reservation|passport|social security|serial|invoice|member(?:ship)?|customer|contact|policy|licen[sc]e|ticket|"
    r"case|id|pin|my|our|your|his|her|their)\s+number|"
    r"(?:member(?:ship)?|student|employee|user|customer|patient|account|order|booking)\s+id|(?:tele)?phone|mobile|p\.?i\.?n\.?(?:\s?code)?|id|"
    r"(?:zip|postal|post)(?:\s?code)?|area\s?code|pass\s?(?:word|code)|"
    r"(?<!error )(?<!status )(?<!exit )(?<!return )(?<!country )code"
)
HAN_NAMES = (
    r"(?<!幸[运運])[号號][码碼]|[电電][话話]|手[机機][号號]|[卡账賬帐帳单單尾编編学學工区區][号號]|身[份分][证證]|"
    r"密[码碼]|[验驗][证證][码碼]|[取提][件货貨餐][码碼号號]|"
    r"(?:会[员員]|會員|[准準]考[证證]|[护護]照|[证證]件)[号號]|[邮郵](?:[编編]|政[编編][码碼])|pin\s?[码碼]?"
)

# What is told letter by letter and with its dots: a mail or a web address
ADDRESSES = r"(?:e-?mail(?: address)?|mail address|web ?site(?: address)?|web address|url|domain(?: name)?)"
HAN_ADDRESSES = r"(?:(?:电子)?邮(?:箱(?:地址)?|件地址)|e-?mail|网[址站](?:地址)?|域名)"

# -- English: in lower case, with one blank between words --

_A_THING = r"(?:(?:tele)?phone|mobile|id)(?!\s+number)"  # "Give me the phone." takes it, and tells nothing
_CARRIES_A_NUMBER = (
    r"(?:\w+ )?(?:card|social|phone|account|order|passport|ticket|receipt|bill|invoice|letter|label|screen)"
)
_DESCRIBED = r"(?: (?!(?:of|in|on|at|to|for|from|by|with|and|or|your|the|is)\b)[\w'-]+){0,3}?"
_PART = (
    r"the (?:(?:last|final|first) )?(?P<part>two|three|four|five|six|\d)(?: (?:digits|numbers|characters))? of |"
    r"the (?:rest|digits|number) of |"
)
# What has more than two digits, besides the names above: a desk, a cabin or a team has few
_OF_MANY_DIGITS = (
    r"(?:employee|staff|work|personnel|student|school|enrol?lment|matriculation|registration|loyalty|rewards?|"
    r"frequent (?:flyer|flier|traveller|traveler)|health(?:care)?|medical|medicare|nhs|patient|insurance|insured|tax|"
    r"taxpayer|vat|national|identity|identification|citizen|visa|permit|badge|library|subscriber|subscription|contract|"
    r"claim|parcel|package|shipment|shipping|delivery|purchase|receipt|transaction|payment|debit|credit|bank|iban|"
    r"meter|device|product|imei|vehicle|chassis|plate|user|login|client|whatsapp|wechat|qq|daytime|evening|alternate|"
    r"alternative|emergency|(?:driver'?s?|driving) licen[sc]e|reference|order|booking|account|customer|serial|tracking|"
    r"confirmation|passport|policy|member(?:ship)?)"
)
_NAMED = re.compile(  # whose it is, and its name
    rf"(?:{_PART})(?:your|the|that|this|an?)(?:{_DESCRIBED} (?!(?<!your ){_A_THING})(?P<name>{NAMES})\b(?! number)|"
    rf"(?<=your)(?: best)? number\b(?! of)|"
    rf"(?<=your){_DESCRIBED} {_OF_MANY_DIGITS} (?P<other>number|id)\b(?! (?:of|one)\b)|"
    rf"(?(part) {_CARRIES_A_NUMBER}\b|(?!)))|"
    rf"(?:the|a) (?:\w+ )?number (?:of|on|from) (?:the \w+ of )?(?:your|the|this|that) {_CARRIES_A_NUMBER}\b|"
    r"(?:(?<=repeat )|(?<= me ))(?:the|that) number\b(?! of)"
)
_ASKING = re.compile(  # right before that
    r"(?:\bwhat(?:'?s|'re| is| was| are| were| would(?: you like)?| will| does| do you have (?:as|for))|"
    # somebody is to tell it
    r"\b(?:tell|telling|give|giving|send|sending|read|reading|show|showing) (?:me|us)(?: what)?|"
    r"\bremind(?:ing)? (?:me|us) (?:of|what)|"
    r"(?:\b(?:please|to|you|kindly|or|and|just|now|lets?|let's|\w+ly) |^)"
    r"(?:enter|type(?: in)?|key in|punch in|dial|say|spell|read(?: out| back| off| aloud)?|give|share|state|"
    r"provide(?: (?:me|us) with)?|confirm|verify|repeat|choose|set|start with|begin with)|"
    # somebody is to get it
    r"\b(?:(?:can|could|may|might) (?:i|we)|let (?:me|us)|"
    r"(?:i|we)(?:'ll|'d like to|(?:'m|'re) going to| will| would like to| need to))"
    r"(?: (?:please|just|also|first|still))* "
    r"(?:have|get|take|grab|know|see|need|ask(?: you)?(?: for| what)?|confirm|verify|start with|write down|note down)|"
    r"\b(?:i|we)(?:'d| would)?(?: (?:just|also|still|first))* (?:need|like)|"
    r"\bdo you (?:\w+ ){0,3}?(?:have|know|remember|recall))"
    r"(?: (?:just|only|me|us))? $"
)
_ADDRESS = re.compile(rf"(?:your|the|that|this|an?|his|her|their){_DESCRIBED} {ADDRESSES}\b")
# Not "What website should I open?": that is told by its name
_WHAT_ADDRESS = re.compile(
    rf"\b(?:what|which) (?!web ?site(?! address)){ADDRESSES} (?:can|should|may|could|do|would|did|is|to)\b"
)
_NAMES_ADDRESS = re.compile(rf"\b{ADDRESSES}\b|{HAN_ADDRESSES}")
# Not one's own that is spelled, or only whether there is one
_NO_ADDRESS_TO_SPELL = re.compile(
    r"\b(?:open|visit|browse|go to|look at|favou?rite)\b|\bdo you (?:\w+ ){0,3}?have (?:an?|any)\b|"
    r"打开|访问|浏览|登录|进入|喜欢|[哪什]么?个?网站"
)
# What says which code it is, and how many digits it has: "the six digit code"
_DESCRIPTION = re.compile(r"(?:your|the|that|this|an?) ((?:[\w'-]+ ){1,3})code$")
_A_BARE_THING = re.compile(rf"\b{_A_THING}$")
_OTHER_USE = re.compile(  # before "your": nobody is to tell it
    # begins as a statement
    r"^(?:(?:and|so|okay|ok|but|now|well|yes|no|sure),? )*"
    r"(?:(?:i|we|you|they|he|she|it)\b|(?:i|we|you|they|he|she|it|that)'|this|that|there|thanks?|your|my|the)\b|"
    # speaks of it
    r"\b(?:of|on|about|at|near|by|into|through|(?:wrong|new|up|done|happen\w*|matter|problem) (?:to|with)|"
    # does something else with it
    r"change|reset|forget|lose|find|update|use|using|check|cancel|delete|remove|protect|keep|hide|write down|look up|"
    r"charge|turn (?:on|off)|put down|hold|answer|call|text|send|like) $"
)
_ALONE = re.compile(
    r"(?:[\w ']+[,.] )?(?:(?:and|now|okay|ok|great|thanks|sure|perfect|alright|then|so|first|next),? )*"
)
_NOTHING_MORE = re.compile(r"(?: (?:is|again|now|first))?(?:,? please)?\W*")
_MAY_FOLLOW = re.compile(  # and then anything. Not a noun ("your phone plan") nor a verb ("your phone rings")
    r"\W*$|[,;:]| (?:(?:on|for|from|in|at|of|with|to)\b(?!\W*$)|so|"
    r"followed|using|before|after|when|whenever|if|as|once|while|until|because|"
    r"one digit|digit by|please|again|now|first|\w+ly|handy|ready|down|out|aloud|here|there|then|today|real quick|"
    r"is|was|would|be|says?|we|i|that|you|sir|madam|ma'am)\b"
)
_WHAT_NAME = re.compile(  # "What number can I reach you at?", "What PIN would you like?"
    r"\b(?:what|which)(?:'s| is| would be)?(?: (?:the|a|your))?(?: (?:best|good|right))? "
    r"(?:number (?:(?:can|should|may|could|do) (?:i|we)|to|for)\b.* (?:reach|call|text|contact|dial)|"
    rf"(?!{_A_THING})(?P<name>{NAMES}) (?:(?:can|should|may|could|do|would|are|did|to)\b(?! (?:the|it)\b).* "
    r"(?:reach|call|text|contact|dial|use|have|like|in|get|receive|choose)|is (?:on|for)))\b"
)
_ASKS_FOR_ANOTHER_THING = re.compile(
    # begins as a question for a place, a person, a reason, a yes, or one of several
    r"^(?:(?:and|so|okay|ok|but|now|well),? )*"
    r"(?:where|how|who|whose|why|when|is|are|was|were|did|does|has|have|should|would you like|do (?:i|we|they)|"
    r"do you (?:want|need|like)|which(?! (?:\w+ )?number (?:(?:can|should|do) (?:i|we)|is (?:on|for))\b))\b|"
    # for one digit of it, how many it has, or which of two
    r"\b(?:first|second|third|fourth|fifth|next|last|final|which|what) (?:digit|letter|character)\b|"
    r"\bhow\b|\bfloor\b|\bor\b.*\?|"
    # does not want it
    r"\b(?:\w+n'?t|not|never) (?:\w+ ){0,2}?"
    r"(?:tell|give|send|share|say|read|type|enter|provide|ask|need|have|show)\b|"
    # wants the thing itself
    r"\b(?:have|see|get|take|grab|know|need|share|choose|set|(?:give|send|show|hand|provide)(?: (?:me|us))?) "
    rf"your{_DESCRIBED} {_A_THING}\b|"
    # or a code that is a word or has one digit
    r"\b(?:dress|colou?r|exit|error|status|return|response|country|https?|building|bar|qr|source|morse|honou?r|tax|"
    r"penal|criminal|line of) codes?\b"
)

# -- Chinese: in simplified characters --

_OTHER_HAN_QUESTION = re.compile(
    # which, how many, where; a choice; one of its digits
    r"[几哪]|还是|多少[个位次张]|第.位|什么(?:颜色|牌子|时候|地方|手机)|"
    # whether there is one, whether something happened to it, and what is done with it
    r"有(?:电话|手机号?)吗|是不是|记得|[了过]吗|(?<!的)(?:[改换]|重置|忘)|过期|"
    # a call
    r"(?:打|给[我您你]|接|等我|保持|回)(?:[一1个]|[您你]的?)*电话|"
    # forbids it, or has it
    r"(?:不要|勿|别|不能|不用|不需要).{0,3}(?:告|说|提供|输入|泄|透露)|"
    r"我.{0,3}有[您你]|我把|发[给到][您你]|已经|可以打|"
    r"我(?:可以|能)[说用改换看]|[您你]要说|需要(?![您你我]|提供|核).*吗"
)
_HAN_NAME = rf"(?P<name>{HAN_NAMES}|(?=最?[后末尾][三四六3-6]))号?码?"
_SOME_HAN = r"(?:的?最?[后末尾前](?P<some>[两三四五六\d])(?:[位个码](?:数字?)?)?)?"
_HAN_ASKS = (  # after the name
    r"(?:(?:是|就是)?(?:多少|什么)|是|呢|(?:方便|能|可以|请)?(?:再|重新)?(?:告诉|给[我到]|[报说发念][给一出]|[说报发念]).*)"
    r"(?:[啊呀呢吗吧哈]|来着|一?下)*"
)
_HAN_PLEASE = (  # before it
    r"(?:告诉我|告知|请问|需要(?=[您你])|给我|提供|输入|确认|核[对实]|留|重复|[说报念讲发])"
)
_HAN_DESCRIBED = r"[^，,。？！]{0,14}?"
_HAN_END = r"(?:才.*|[以来](?:便)?.*|[吗吧呢啊呀]|一?[下遍次])*"


def _requests(name: str) -> tuple[re.Pattern[str], ...]:
    """The forms of a Chinese request for what has one of these names."""
    forms = (
        f"{_HAN_DESCRIBED}{name}{_HAN_ASKS}",  # 验证码是多少
        f"{_HAN_DESCRIBED}{_HAN_PLEASE}{_HAN_DESCRIBED}{name}{_HAN_END}",  # 请输入密码
        f"(?:那|好的?)?[您你]的?{_HAN_DESCRIBED}{name}",  # 您的密码？
    )
    return tuple(re.compile(rf"{form}\W*", re.IGNORECASE) for form in forms)


_HAN_REQUESTS = _requests(f"{_HAN_NAME}{_SOME_HAN}")
_HAN_ADDRESS_REQUESTS = _requests(HAN_ADDRESSES)
_SIX_HAN = re.compile("[六6]位(?:数字?)?的?.{0,4}$")
_HAN_CLAUSES = re.compile("[,，]")
_PARTS = {"three": 3, "3": 3, "三": 3, "four": 4, "4": 4, "四": 4, "six": 6, "6": 6, "六": 6}


def asked_name(sentence: str) -> str:
    """How somebody begins who tells the number that this sentence asks for: "my PIN is "; "" if it asks for none."""
    return _asked_in_english(sentence) or _asked_in_chinese(sentence)


def asks_for_address(sentence: str) -> bool:
    """Whether this sentence asks for a mail or a web address."""
    simple = in_simple_characters(" ".join(sentence.lower().replace("’", "'").split()))
    if not _NAMES_ADDRESS.search(simple) or _NO_ADDRESS_TO_SPELL.search(simple):
        return False
    words = " ".join(sentence.lower().replace("’", "'").split())
    if not _ASKS_FOR_ANOTHER_THING.search(words) and (
        _WHAT_ADDRESS.search(words) or any(_asks_for(words, named) for named in _ADDRESS.finditer(words))
    ):
        return True
    words = in_simple_characters(sentence)
    return not _OTHER_HAN_QUESTION.search(words) and any(
        request.fullmatch(clause) for clause in _HAN_CLAUSES.split(words) for request in _HAN_ADDRESS_REQUESTS
    )


def _asked_in_english(sentence: str) -> str:
    words = " ".join(sentence.lower().replace("’", "'").split())
    if _ASKS_FOR_ANOTHER_THING.search(words):
        return ""
    asked = next(
        (named for named in _NAMED.finditer(words) if _asks_for(words, named)), _WHAT_NAME.search(words)
    )
    if asked is None:
        return ""
    told = asked.groupdict()
    if told.get("part"):
        return f"the last {_PARTS.get(told['part'], '')} of my number is "
    if told.get("other"):
        return "my reference number is "
    described = _DESCRIPTION.search(asked.group()) if told["name"] == "code" else None
    return f"my {described[1] if described else ''}{told['name'] or 'number'} is "


def _asks_for(words: str, named: re.Match[str]) -> bool:
    """Whether what stands before and after the name asks for it."""
    before, after = words[: named.start()], words[named.end() :]
    alone = _ALONE.fullmatch(before) is not None
    if alone and _NOTHING_MORE.fullmatch(after):
        return True
    if _MAY_FOLLOW.match(after) is None:
        return False
    return _ASKING.search(before) is not None or (
        named.group().startswith("your")
        and not alone
        and not _OTHER_USE.search(before)
        and not _A_BARE_THING.search(named.group())
    )


def _asked_in_chinese(sentence: str) -> str:
    words = in_simple_characters(sentence)
    if _OTHER_HAN_QUESTION.search(words):
        return ""
    for clause in _HAN_CLAUSES.split(words):
        asked = next(filter(None, (request.fullmatch(clause) for request in _HAN_REQUESTS)), None)
        if asked and _SIX_HAN.search(clause[: asked.start("name")]):
            return f"6位{asked['name']}是 "
        if asked:
            return f"后{_PARTS.get(asked['some'], '')}位号码是 " if asked["some"] else f"{asked['name']}是 "
    return ""
