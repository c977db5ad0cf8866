"""Backchannels, what a listener says so that the other goes on: "mm-hmm", "genau", "なるほど". A table, by language.

Phrases are separated by "|", their spelling is that of `folding.fold` or any other. Agreement of several words is a
family of its own: what praises or agrees in a few frames, and asks for nothing. Who asks is `short_words.py`, which
also knows a hum ("mm-hmm") in any spelling: it is no word of any language and not in this table.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping


def each_of(*parts: str) -> str:
    """Every combination of one of each part. "|" at an end: or nothing. "好|对" and "的|" are 好的, 好, 对的 and 对."""
    return "|".join(map("".join, itertools.product(*(part.split("|") for part in parts))))


# Chinese adds particles to a stem. What is no murmur any more is left out: 好了, 行了, 可以了, OK了 and 没问题了 are
# "enough", 对了 is "by the way", and 对吗 or 明白吗 ask.
_UNDERSTAND = "了解|明白|知道|理解|清楚"
UNDERSTANDING = each_of("我|", f"{_UNDERSTAND}|懂", "的|啊|呀|哦")
_CHINESE = (
    UNDERSTANDING,
    each_of("我|", f"{_UNDERSTAND}|懂", "了|了啊|了呀|了哦|啦"),
    each_of("我|", _UNDERSTAND),
    "懂|我懂|收到|收到了",
    each_of("对|是|好|行|可以", "的|啊|呀|哦|喔|嘛|呗|"),
    each_of("对|是|好|行", "吧|呢"),
    each_of("对|是", "哟|咯|喽|啦|呐|嘞"),
    each_of("对的|是的|好的|可以的", "呀|啊|哦|呢"),
    "好嘞|好滴|好哒|好咧|好耶|得嘞|那好|那好吧|那行|那行吧|嗯好|嗯呢|嗯哪|嗯哼|啊哈|是吗",
    each_of("没错|确实|的确|当然|难怪|怪不得|有道理|没问题|没毛病|必须|也是|就是|那是", "的|啊|呀|哦|嘛|呢|"),
    each_of("没错|当然|难怪|怪不得|那是|必须", "了|啦"),
    "的确是|的确如此|确实是|确实如此|那当然|那当然了|可不是嘛|那可不|那倒是|那倒也是|这倒是|对头|给力|也对|赞同|同意|我同意",
    each_of("你|您|", "说|讲", "的|得", "对|没错|很对|太对了|也对|有道理|很有道理|不错|好|很好", "啊|呀|哦|"),
    each_of("说", "的|得", "是|也是", "啊|呀|"),
    each_of("挺|很|真|蛮|还|非常", "好|不错|棒|厉害|有意思|有趣|有道理", "的|啊|呀|哦|呢|嘛|"),
    each_of("太", "好|棒|厉害|有意思|有趣|对|赞", "了", "啊|呀|吧|"),
    each_of("不错|厉害|有意思|有趣|好棒|好厉害", "了|啊|呀|哦|"),
    "绝了|还行|还可以|挺可以|牛啊",
    each_of("ok", "的|啊|呀|吧|哦"),
    each_of("原来|原来是|确实|确实是|哦|噢|哦是|是", "这样", "子|", "啊|呀|哦|的|"),
    each_of("这样", "子|", "啊|呀|哦"),
    "这样子|原来如此|真的|真的吗|真的假的|真的啊|真的呀|真的哦",
    "哇|哇塞|哇哦|天哪|天啊|天呐|我的天|我的天哪|哎呀|哎哟|呵呵|嘿嘿",
    each_of("请|你|您|", "继续|接着说"),
    "你说|您说|请说|请讲",
)

# English ones, which ask for nothing. Not "whoa", "shh", "oh no" and "excuse me": they may mean that the other should
# stop.
EXCLAMATIONS = (
    "oops|oopsie|whoops|ouch|ow|oww|yikes|phew|whew|yay|hooray|hurray|yippee|woohoo|woo hoo|aww|ew|eww|yuck|"
    "achoo|a choo|atchoo|bless you|gesundheit|gosh|gee|geez|jeez|goodness|goodness me|oh gosh|oh god|oh lord|oh boy|"
    "oh man|oh my god|my god|oh my gosh|my gosh|oh my goodness|omg|good grief|holy cow|la la|la la la|lala|lalala|"
    "lalalala"
)

# -- agreement --

# What praises. Not "funny", "fine" and "okay": "Very funny." complains, and "That's okay." may be "no, thanks"
_PRAISE = (
    "great|good|nice|cool|interesting|amazing|awesome|fantastic|wonderful|perfect|true|fair|lovely|brilliant|excellent|neat|sweet|"
    "beautiful|incredible|fascinating|impressive|terrific|fabulous|superb|exciting|helpful|useful|clever|reasonable|"
    "marvelous|marvellous|remarkable|splendid|delightful"
)
_RIGHT = "right|correct"
_VERY = "so |very |really |pretty |quite |"
_THAT = "thats |that is |its |it is |this is "
_AGREEMENT_EN = (
    each_of(_THAT, _VERY, f"{_PRAISE}|{_RIGHT}"),
    each_of(_THAT, "so |very |", "good to know|good to hear|nice to hear|great to hear|well said|well put"),
    # Alone "sweet" and "neat" choose: "sweet or salty?"
    each_of(f"super |absolutely |{_VERY}", _PRAISE.replace("sweet|", "").replace("neat|", "")),
    each_of("so |very |really |pretty ", "sweet|neat"),
    each_of("very |quite |absolutely |totally |exactly |completely ", _RIGHT),
    # Not "How good", "How fair" and "How right": they ask
    each_of(
        "how ", "great|nice|cool|interesting|amazing|awesome|fantastic|wonderful|lovely|brilliant|true|sweet"
    ),
    each_of("how ", "neat|exciting|fascinating|clever|beautiful|impressive|delightful"),
    each_of("|that |it ", "sounds ", _VERY, f"{_PRAISE}|{_RIGHT}|fine|okay|ok|like a plan|about right"),
    each_of(
        "|thats a |thats an |that is a ",
        "good|great|nice|excellent|fair|brilliant|wonderful|lovely|amazing|fantastic|interesting",
        " point| idea| one| thinking| job| work| advice| suggestion| tip| example| explanation| plan| news| story",
    ),
    each_of("|it |that |this ", "makes ", "total |perfect |complete |a lot of |so much |good |", "sense"),
    each_of("i ", "totally |completely |fully |definitely |", "agree", "| with you| with that| completely"),
    each_of("i ", "see|know|get|understand", " what you mean| your point| that point"),
    "i can imagine|i can see that|i can relate|i get that|i get you|i follow|i follow you|i bet|i believe you",
    "i think so|i think so too|i thought so|i guess so|i suppose so|i feel you|me too|same here|so do i|neither do i",
    each_of("youre |you are ", "so |absolutely |totally |quite |completely |", _RIGHT),
    "me neither|ditto|likewise|you have a point|youve got a point|you bet|thats for sure|too true|true that|hear hear",
    "not bad at all|precisely|naturally|quite so|just so|noted|copy that|roger that|well said|well put|well done|lol",
    "o k|yes sir|yes maam|outstanding|magnificent|good to hear|great to hear|nice to hear|nice to know|good for you",
    "glad to hear it|glad to hear that|im all ears|all ears",
    each_of("okey|okie", "| ", "dokey|dokie|doke"),
    each_of("please |", "go on|go ahead|continue|keep going|carry on|proceed|keep talking", " please|"),
    each_of("im |i am |", "still |", "listening|with you|following"),
)
_PRAISE_HAN = "不错|厉害|有意思|有趣|有道理|精彩|神奇|给力|合理|靠谱"
# Alone these may be something else: beef, strong
_ALL_PRAISE_HAN = f"{_PRAISE_HAN}|了不起|好|棒|赞|牛|强|酷|妙|贴心|周到|实用|好玩"
# Not 可不 and 听着: 可不行 objects, 听着 is "listen". Not 不会吧, which may object
_AGREEMENT_HAN = (
    each_of("那|这|也|听起来|", "挺|很|真|蛮|还|非常|特别|超", _ALL_PRAISE_HAN, "的|啊|呀|"),
    each_of("那|这|也|倒|听起来|", _PRAISE_HAN, "的|啊|呀|哦|"),
    each_of("那|这|简直|", "太", f"{_ALL_PRAISE_HAN}|对", "了", "啊|呀|吧|"),
    each_of("好", f"{_PRAISE_HAN}|棒|赞|牛|强|酷|妙|贴心", "啊|呀|哦|的|"),
    "了不起|赞|棒|漂亮|牛逼|太牛逼了|妙啊|点赞|有点意思|有点东西|对极了|好极了|棒极了|妙极了|说到点子上了",
    each_of("那|当然|", "肯定", "的|是|是的|啊|呀|"),
    each_of("一点|一点都|一点也|完全", "没错"),
    "正确|完全正确|千真万确|可不是|谁说不是呢|那还用说|毫无疑问",
    each_of(
        "我|", "很|完全|非常|", "同意|赞同|认同", "你|您|", "的看法|的观点|的说法|说的|这个观点|这一点|这点|"
    ),
    each_of("我也", "是|", "这么|这样|那么", "觉得|想|认为|感觉", "的|"),
    each_of("我也", "觉得|认为|同意|赞同|认同|有同感|是|一样", "的|"),
    each_of("我觉得|我也觉得|我感觉", "也是|挺好|很好|不错|有道理|挺有道理|很有道理|对", "的|"),
    "我有同感|有同感|深有同感|同感",
    each_of("原来|确实|就|还真|", "是", "这么回事|这个道理|这个理|这样|这样子", "的|啊|呀|哦|"),
    "正是|正是如此|正是这样|这样|这样喔",
    each_of("这|那|这倒|那倒|说得|说的|这话", "也是", "啊|呀|哦|的|"),
    each_of("我|", "能|可以|完全|完全能|完全可以|很|非常", "理解|明白|想象|体会", "的|啊|呀|"),
    each_of("我|", "懂|明白|理解|知道|了解|清楚|能明白|能理解", "你|您", "的|", "意思", "了|"),
    each_of("我|", "瞭解|听懂|听明白|记住|记下", "了"),
    "瞭解|我瞭解|瞭解的|看得出来|长见识了|涨知识了|学到了",
    each_of("请|你|您|那你|那您|", "继续|接着|往下|继续往下|接着往下", "说|讲", "吧|啊|呀|"),
    each_of("请|你|您|", "说|讲", "吧|下去"),
    "继续吧|请继续吧|你继续吧|你讲|您讲",
    each_of("我|我还|还|", "在听", "呢|着呢|"),
    "听着呢|我听着呢|在呢|我在呢|洗耳恭听",
    each_of("okay", "的|啊|呀|吧|哦"),
)

# Murmurs that begin sentences as well ("I agree with her", 我也觉得太贵): unlike the others they are no whole answers
# where no mark says so
AGREEMENT: Mapping[str, str] = {"en": "|".join(_AGREEMENT_EN), "zh": "|".join(_AGREEMENT_HAN)}

BACKCHANNELS: Mapping[str, str] = {
    "en": (
        "yeah|yea|yah|ya|yep|yup|yes|ok|okay|k|kay|okey|okie|okey dokey|alright|all right|right|sure|"
        "sure thing|exactly|absolutely|definitely|totally|true|indeed|fine|good|great|nice|cool|wow|got it|"
        "gotcha|i see|i know|i understand|understood|of course|sounds good|that s right|thats right|makes sense|"
        "make sense|that makes sense|makes sense to me|i get it|i got it|i got you|i hear you|i see i see|ic|uh i see|"
        "right on|very true|so true|no doubt|no kidding|no problem|no worries|you re right|youre right|"
        "good to know|good point|great point|nice one|for sure|for real|all good|oh wow|oh my|my goodness|"
        "aw|oh dear|not bad|lovely|amazing|awesome|wonderful|brilliant|excellent|correct|agreed|certainly|"
        "roger|alrighty|yes yes|yes i see|right i see|is that so|is that right|go on|go ahead|really|"
        "interesting|fair enough|oh really|oh i see|ah i see|very good|"
        "very nice|perfect|amen|"
        f"{EXCLAMATIONS}"
    ),
    "zh": "|".join(_CHINESE),
    "yue": "係|係囉|係啦|系啦|係呀|係啊|系啊|好呀|冇錯|冇错|啱|啱呀|得|明晒|哦係|原來係咁",
    "ja": (
        "うん|うんうん|はい|はいはい|はあ|はぁ|ええ|ええと|えー|ああ|あぁ|あ|おお|おー|へえ|へぇ|へー|ほう|ほお|"
        "ほー|ふん|ふうん|ふむ|そう|そうそう|そうか|そっか|そうだ|そうだね|そうだよね|そうですか|"
        "そうですね|そうですよね|そうなんだ|そうなんですか|そうなんですね|なるほど|なるほどね|なるほどですね|"
        "たしかに|確かに|もちろん|わかった|分かった|わかりました|分かりました|わかります|分かります|本当|本当に|"
        "ほんと|ほんとに|まじ|マジ|マジで|いいね|いいですね|了解|了解です|オーケー|オッケー|ね|よ"
    ),
    "ko": (
        "네|네에|예|예예|응|응응|음|으음|어|아|아하|오|와|우와|그래|그래요|그렇지|그렇죠|그렇군요|그렇구나|"
        "그렇군|그렇네요|맞아|맞아요|맞습니다|알겠어|알겠어요|알겠습니다|알았어|알았어요|좋아|좋아요|물론|"
        "물론이죠|정말|정말요|진짜|진짜요|그럼|그럼요|오케이"
    ),
    "de": (
        "ja|jaja|jap|jo|joa|jawohl|jep|genau|genau so|richtig|stimmt|das stimmt|klar|na klar|alles klar|sicher|"
        "gut|sehr gut|schon|prima|super|toll|achso|ach so|ach ja|ach|soso|so so|verstehe|ich verstehe|"
        "verstanden|okay gut|ja genau|in ordnung|naturlich|absolut|eben|wirklich|echt|tja|hm ja|weiter"
    ),
    "fr": (
        "oui|ouais|ouaip|mouais|si|d accord|daccord|dac|ok d accord|bien|tres bien|bien sur|exact|exactement|"
        "voila|c est ca|cest ca|tout a fait|absolument|parfait|je vois|je comprends|compris|entendu|ah bon|"
        "ah oui|ben oui|eh oui|mais oui|bon|vraiment|en effet|effectivement|super|genial|vas y|continue|"
        "continuez"
    ),
    "es": (
        "si|sip|sisi|aja|claro|claro que si|vale|ya|ya veo|bueno|bien|muy bien|de acuerdo|exacto|exactamente|"
        "correcto|cierto|es cierto|eso|eso es|entiendo|entendido|ya entiendo|perfecto|por supuesto|desde luego|"
        "asi es|verdad|es verdad|en serio|de verdad|genial|dale|sigue|siga|okey"
    ),
    "pt": (
        "sim|simsim|e isso|isso|isso mesmo|isso ai|ta|ta bom|ta bem|ta certo|esta bem|esta bom|certo|claro|"
        "com certeza|exato|exatamente|entendi|entendo|percebi|pois|pois e|pois sim|pois claro|beleza|bom|"
        "muito bem|ok certo|verdade|e verdade|serio|a serio|legal|perfeito|continua|continue"
    ),
    "it": (
        "si|sisi|si si|gia|certo|certamente|esatto|esattamente|giusto|va bene|d accordo|daccordo|bene|molto bene|"
        "benissimo|perfetto|capito|ho capito|capisco|ah ecco|ecco|infatti|appunto|vero|e vero|davvero|"
        "naturalmente|ovvio|ottimo|bello|proprio cosi|continua|vai"
    ),
    "nl": (
        "ja|jaja|jawel|jazeker|joh|goed|oke|precies|klopt|dat klopt|juist|zeker|natuurlijk|inderdaad|mooi|prima|"
        "begrepen|ik snap het|snap ik|ik begrijp het|ik zie het|echt|echt waar|o ja|oja|goh"
    ),
    "ru": (
        "да|дада|ага|угу|так|ну да|ну|ясно|понятно|понял|поняла|понимаю|хорошо|ладно|окей|ок|верно|точно|"
        "правильно|конечно|именно|согласен|согласна|правда|действительно|вот как|ого|вау|"
        "мда|ах|отлично"
    ),
    "uk": (
        "так|ага|угу|авжеж|звісно|звичайно|зрозуміло|зрозумів|зрозуміла|розумію|добре|гаразд|точно|правда|"
        "справді|ясно|саме так|егеж"
    ),
    "pl": (
        "tak|taa|tak tak|no tak|jasne|pewnie|dobrze|dobra|okej|rozumiem|zrozumialem|zrozumialam|racja|zgoda|"
        "dokladnie|oczywiscie|wlasnie|naprawde|super|fajnie|prawda|spoko|swietnie"
    ),
    "cs": (
        "ano|jo|jojo|jasne|dobre|dobra|dobry|rozumim|chapu|presne|presne tak|urcite|samozrejme|opravdu|vazne|"
        "spravne|fajn|tak jo|jiste"
    ),
    "sk": (
        "ano|hej|jasne|dobre|rozumiem|chapem|presne|presne tak|urcite|samozrejme|naozaj|spravne|fajn|iste"
    ),
    "sl": "ja|dobro|jasno|seveda|razumem|tako je|prav|res|tocno|drzi|v redu",
    "hr": "da|dobro|jasno|naravno|razumijem|razumem|tako je|tocno|stvarno|vazi|u redu|moze",
    "bg": (
        "да|добре|ясно|разбирам|разбрах|точно|точно така|така|разбира се|наистина|аха|ъхъ|окей|вярно|правилно"
    ),
    "ro": (
        "da|dada|bine|foarte bine|inteleg|am inteles|corect|exact|sigur|desigur|asa e|adevarat|perfect|"
        "serios|buna"
    ),
    "hu": (
        "igen|ja|jo|jol van|rendben|ertem|persze|pontosan|ugy van|igaz|tenyleg|oke|vilagos|szuper|"
        "termeszetesen"
    ),
    "tr": (
        "evet|hee|tamam|tamamdir|tabii|tabi|tabii ki|peki|anladim|anliyorum|dogru|aynen|aynen oyle|kesinlikle|"
        "gercekten|gercekten mi|guzel|oyle|hay hay|elbette"
    ),
    "el": (
        "ναι|ναι ναι|ωραια|καλα|ενταξει|σωστα|ακριβως|βεβαια|βεβαιως|καταλαβα|καταλαβαινω|μαλιστα|αληθεια|"
        "σιγουρα|οκ|αχα"
    ),
    "sv": (
        "ja|jaha|jo|javisst|visst|precis|just det|okej|bra|absolut|jag forstar|forstar|naturligtvis|sant|"
        "verkligen|jasa|exakt|klart"
    ),
    "da": (
        "ja|jo|jaja|okay|praecis|netop|klart|selvfolgelig|jeg forstar|forstar|godt|fint|rigtigt|virkelig|javel|"
        "nemlig"
    ),
    "nb": (
        "ja|jo|jaja|akkurat|nettopp|ok|greit|bra|fint|jeg forstar|skjonner|selvfolgelig|klart|stemmer|riktig|"
        "virkelig|javel|presis"
    ),
    "fi": (
        "joo|joojoo|juu|kylla|niin|niin niin|aivan|aivan niin|okei|selva|totta|totta kai|hyva|ymmarran|"
        "juuri niin|tietysti|jaa|jaaha|todellako"
    ),
    "ca": "si|clar|es clar|d acord|exacte|molt be|entesos|ho entenc|veritat|aixo mateix|val|correcte",
    "af": "ja|jaja|goed|reg|presies|natuurlik|ek verstaan|seker|regtig|inderdaad",
    "ar": (
        "نعم|نعم نعم|أيوه|ايوه|أيوا|ايوا|اه|آه|أه|أجل|اجل|طيب|حسنا|تمام|صح|صحيح|ماشي|أكيد|اكيد|بالضبط|فهمت|مفهوم|"
        "طبعا|حقا|جيد|ممتاز|أها|اها|أوكي|اوكي|هم|إم|والله"
    ),
    "fa": (
        "بله|بلی|آره|اره|آهان|اهان|خب|خوب|باشه|درسته|درست|دقیقا|فهمیدم|متوجه شدم|صحیح|حتما|واقعا|اوکی|اوهوم|آها|"
        "هوم"
    ),
    "he": "כן|כן כן|בסדר|אוקיי|אוקי|נכון|בדיוק|הבנתי|ברור|בטח|אהה|אה|אהם|טוב|יופי|באמת|מעולה|סבבה",
    "hi": (
        "हाँ|हां|हा|जी|जी हाँ|जी हां|हाँ जी|हां जी|हम|हूँ|हूं|अच्छा|ठीक|ठीक है|सही|सही है|बिल्कुल|बिलकुल|"
        "समझ गया|समझ गई|समझा|ओके|ओह|सच|सच में|बढ़िया"
    ),
    "bn": "হ্যাঁ|হ্যা|জি|আচ্ছা|ঠিক|ঠিক আছে|বুঝেছি|হুম|ওকে|অবশ্যই|সত্যি",
    "ta": "ஆமா|ஆமாம்|ஆம்|சரி|ம்|ம்ம்|ஓகே|புரியுது|புரிகிறது|அப்படியா|நல்லது",
    "ur": "ہاں|جی|جی ہاں|ہاں جی|اچھا|ٹھیک|ٹھیک ہے|صحیح|بالکل|ہوں|ہم|سمجھ گیا|اوکے|واقعی",
    "th": (
        "ใช่|ใช่ค่ะ|ใช่ครับ|ใช่ๆ|ใช่ใช่|ค่ะ|คะ|ครับ|ครับผม|จ้ะ|จ้า|อืม|อืมม|อื้ม|อือ|อ๋อ|อ้อ|เออ|โอเค|โอเคค่ะ|"
        "โอเคครับ|ได้|ได้ค่ะ|ได้ครับ|เข้าใจ|เข้าใจแล้ว|เข้าใจค่ะ|เข้าใจครับ|ถูกต้อง|ถูก|จริง|จริงเหรอ|จริงด้วย|"
        "แน่นอน|ดี|ดีค่ะ|ดีครับ"
    ),
    "vi": (
        "vang|vang a|da|da vang|ua|o vay|dung|dung roi|dung vay|phai|phai roi|duoc|duoc roi|tot|ro|ro roi|"
        "hieu|hieu roi|toi hieu|oke|roi|that|that a|that sao|chinh xac"
    ),
    "id": (
        "ya|iya|iyaya|ya ya|oh ya|baik|baiklah|oke|betul|benar|tepat|tentu|paham|mengerti|saya mengerti|begitu|"
        "oh begitu|sip|siap|setuju|bagus|masa|serius|he eh"
    ),
    "ms": (
        "ya|baik|baiklah|betul|okey|faham|saya faham|tentu|sudah tentu|setuju|tepat|begitu|bagus|betul ke|yalah"
    ),
    "fil": (
        "oo|opo|oho|sige|sige po|tama|tama po|oo nga|talaga|ganun ba|ganoon ba|naiintindihan ko|gets|ayos|"
        "syempre|totoo"
    ),
}  # fmt: skip
