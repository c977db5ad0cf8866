"""Backchannels, what a listener says so that the other goes on: "mm-hmm", "genau", "なるほど". A table, by language.

Phrases are separated by "|", their spelling is that of `folding.fold` or any other. Who asks is `short_words.py`, which
also knows a hum ("mm-hmm") in any spelling: it is no word of any language and not in this table.
"""

from __future__ import annotations

from collections.abc import Mapping

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
        "very nice|perfect|amen"
    ),
    "zh": (
        "对|對|对呀|對呀|对啊|對啊|对的|對的|好|好的|好啊|好呀|好吧|"
        "好嘞|好滴|是|是的|是啊|是呀|是吗|是嗎|行|行啊|行吧|可以|没错|沒錯|确实|確實|当然|當然|明白|明白了|知道|"
        "知道了|我知道|我知道了|懂了|了解|原来如此|原來如此|原来是这样|原來是這樣|这样啊|這樣啊|真的|真的吗|"
        "真的嗎|有道理|不错|不錯|没问题|沒問題|继续|繼續|"
        "真不错|真好|太好了|太棒了|好棒|厉害|哇|哇塞|天哪|天啊|哎呀|啊哈|嗯哼|嗯好|也是|就是|就是啊|那是|说得对|說得對|你说得对|"
        "没毛病|同意|赞同|清楚|清楚了|收到|得嘞|ok的|好哒|好嘛|行吧行吧|我懂|我懂了|我明白|我明白了|我了解|我理解|理解|"
        "理解了|这样子|這樣子|是这样|是這樣|是这样啊|难怪|難怪|怪不得|有意思|有趣|真有意思|真的啊|真的呀|是的是的|你接着说|接着说|"
        "请继续|請繼續|你说|你继续|可以的|可以啊|当然了|必须的|那当然"
    ),
    "yue": "係|係呀|係啊|系啊|好呀|冇錯|冇错|啱|啱呀|得|明晒|哦係|原來係咁",
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
