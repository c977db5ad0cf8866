"""Which words of `backchannels.py` and `turn_words.py` begin what people say, and which other words are an answer.

After "wait", "why", "oops" or "but" people go on, and so they do after "well" in any language: such a word, said alone,
is no whole answer where no mark says so, unless it is a yes or a no of another language ("da", "ya", "ei"). Tables, by
language, written as those. Who asks is `short_words.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from realtime.core.backchannels import EXCLAMATIONS, UNDERSTANDING, each_of

LEADING: Mapping[str, str] = {
    "en": (
        "wait|wait wait|wait a minute|wait a second|hold on|hang on|one moment|just a moment|hey|hello|excuse me|"
        "sorry|help|what|why|how|who|where|when|which|not that|but|actually|listen|dont|really|i see|i know|ic|"
        "i understand|i hear you|is that so|ya|oh my|aw|oh dear|"
        f"{EXCLAMATIONS}"
    ),
    "zh": (
        "等|等等|等一下|等下|等一等|等会|慢着|且慢|喂|怎么|为什么|什么|哪里|谁|再说|再来|就是|也是|那是|是这样|是这样啊|是吗|我知道|我了解|我理解|"
        "我明白|我懂|知道|清楚|理解|你说|你继续|哎呀|啊哈|这样啊|这样子|天哪|天啊|哇|"
        "是嘛|那好|那行|还好|的确是|确实是|您说|请说|请讲|天呐|我的天|我的天哪|哎哟|哇哦|呵呵|嘿嘿|"
        f"{each_of('说', '的|得', '是')}|{each_of('是|哦|噢', '这样', '子|', '的|啊|呀|哦|')}|"
        f"{each_of('这样', '子|', '啊|呀|哦')}|"
        f"{UNDERSTANDING}"
    ),
    "yue": "等陣|等阵|咪住|點解|乜嘢",
    "ja": (
        "待って|まって|ちょっと待って|ちょっとまって|待った|何|なに|なんで|なぜ|誰|どこ|いつ|え|えっ|すみません|ねえ|ちょっと|"
        "ええと|えー|ああ|あぁ|あ|おお|おー|へえ|へぇ|へー|ほう|ほお|ほー|ふん|ふうん|ふむ|はあ|はぁ|そう|ね|よ|"
        "次|つぎ|もう一度|本当に|ほんとに"
    ),
    "ko": (
        "잠깐|잠깐만|잠깐만요|잠시만|잠시만요|기다려|기다려요|뭐|왜|누구|어디|언제|저기요|저기|음|으음|어|아|아하|오|와|우와|그럼"
    ),
    "de": (
        "warte|warte mal|warten sie|moment|moment mal|einen moment|was|warum|wie|wer|wo|wann|wieso|hallo|aber|nicht|"
        "entschuldigung|hilfe|tja|eben|schon|ach|achso|ach so|hm ja|soso|so so"
    ),
    "fr": (
        "attends|attendez|attends un peu|une seconde|un instant|un moment|minute|quoi|pourquoi|comment|qui|ou|quand|"
        "mais|pardon|aide|bon|en effet|effectivement"
    ),
    "es": (
        "para|espera|espere|esperate|un momento|momento|que|por que|como|quien|donde|cuando|pero|oye|perdona|ayuda|"
        "mal|bueno|ya"
    ),
    "pt": (
        "para|pera|espera|espere|esperai|pera ai|um momento|que|o que|por que|porque|como|quem|onde|quando|mas|ei|"
        "desculpa|ajuda|pois|bom"
    ),
    "it": "aspetta|aspetti|un attimo|un momento|cosa|perche|come|chi|dove|quando|ma|scusa|aiuto|piano|infatti",
    "nl": "wacht|wacht even|moment|even wachten|wat|waarom|hoe|wie|waar|wanneer|maar|hallo|sorry|help|goh|o ja|oja",
    "ru": (
        "подожди|подождите|погоди|погодите|постой|минуту|минутку|что|почему|как|кто|где|когда|но|эй|алло|извини|"
        "помоги|не|ну|вот как|ах|мда"
    ),
    "uk": "зачекай|зачекайте|почекай|хвилинку|що|чому|як|хто|де|коли|але|агов",
    "pl": "czekaj|poczekaj|zaczekaj|moment|chwila|chwileczke|co|dlaczego|jak|kto|gdzie|kiedy|ale|hej|przepraszam|pomoc",
    "cs": "pockej|pockejte|moment|chvilku|co|proc|jak|kdo|kde|kdy|ale|hele|promin|pomoc",
    "sk": "pockaj|pockajte|moment|chvilu|co|preco|ako|kto|kde|kedy|ale|prepac|pomoc",
    "sl": "pocakaj|trenutek|kaj|zakaj|kako|kdo|kje|kdaj|ampak",
    "hr": "cekaj|pricekaj|trenutak|sto|sta|zasto|kako|tko|ko|gdje|kad|ali",
    "bg": "чакай|почакай|изчакай|момент|какво|защо|как|кой|къде|кога|но|ало",
    "ro": "stai|asteapta|un moment|moment|ce|de ce|cum|cine|unde|cand|dar|alo|ajutor",
    "hu": "varj|varjon|varj csak|pillanat|egy pillanat|mi|miert|hogyan|ki|hol|mikor|de|hallo|bocsanat|segitseg",
    "tr": (
        "dur bir dakika|bekle|bekleyin|bir dakika|bir saniye|neden|nicin|nasil|kim|nerede|ne zaman|ama|alo|pardon|"
        "yardim|hee"
    ),
    "el": "στασου|περιμενε|περιμενετε|μια στιγμη|μη|μην|τι|γιατι|πως|ποιος|που|ποτε|αλλα|βοηθεια|συγγνωμη",
    "sv": "vanta|vanta lite|ett ogonblick|vad|varfor|hur|vem|var|nar|men|hallo|ursakta|hjalp",
    "da": "vent|vent lidt|et ojeblik|hvad|hvorfor|hvordan|hvem|hvor|hvornar|men|hallo|undskyld|hjaelp",
    "nb": "vent|vent litt|et oyeblikk|hva|hvorfor|hvordan|hvem|hvor|nar|men|hallo|unnskyld|hjelp",
    "fi": "odota|odotas|hetki|hetkinen|mita|miksi|miten|kuka|missa|milloin|mutta|haloo|anteeksi|apua",
    "ca": "para|espera|esperat|un moment|que|per que|com|qui|on|quan|pero|ajuda",
    "af": "wag|wag n bietjie|wat|hoekom|hoe|wie|waar|wanneer|maar",
    "ar": "انتظر|انتظري|استنى|لحظة|دقيقة|ماذا|لماذا|ليش|ليه|كيف|من|أين|متى|لكن|ألو|عفوا|مساعدة|بس|هم|إم|والله",
    "fa": "صبر کن|صبر|وایسا|یک لحظه|چی|چه|چرا|چطور|کی|کجا|اما|الو|ببخشید|کمک|خب|هوم",
    "he": "חכה|חכי|רגע|רק רגע|מה|למה|איך|מי|איפה|מתי|אבל|הלו|סליחה|עזרה|אה|אהה|אהם",
    "hi": "ठहरो|ठहरिए|एक मिनट|मत|क्या|क्यों|कैसे|कौन|कहाँ|कहां|कब|लेकिन|सुनो|मदद|ओह|हम",
    "bn": "দাঁড়াও|অপেক্ষা করো|কি|কী|কেন|কিভাবে|কে|কোথায়|কখন|কিন্তু|শোনো|হুম",
    "ta": "பொறு|என்ன|ஏன்|எப்படி|யார்|எங்கே|எப்போது|ம்|ம்ம்",
    "ur": "ٹھہرو|ایک منٹ|مت|کیا|کیوں|کیسے|کون|کہاں|کب|لیکن|سنو|ہم",
    "th": "รอ|รอก่อน|รอเดี๋ยว|เดี๋ยว|เดี๋ยวก่อน|อะไร|ทำไม|ยังไง|ใคร|ที่ไหน|เมื่อไหร่|แต่|ขอโทษ|ช่วยด้วย|อืม|อืมม|อื้ม|อือ|เออ",
    "vi": (
        "cho|cho da|cho chut|khoan|khoan da|doi|doi da|gi|cai gi|tai sao|sao|the nao|ai|o dau|khi nao|nhung|alo|"
        "xin loi|im|that|that a|that sao|da"
    ),
    "id": (
        "tunggu|tunggu dulu|sebentar|apa|kenapa|mengapa|bagaimana|siapa|dimana|kapan|tapi|halo|maaf|tolong|begitu|"
        "he eh"
    ),
    "ms": "tunggu|tunggu dulu|nanti|sekejap|apa|kenapa|bagaimana|siapa|mana|bila|tapi|maaf|tolong|begitu",
    "fil": "teka|teka lang|sandali|sandali lang|saglit|hintay|bakit|paano|sino|saan|kailan|pero|tulong",
}  # fmt: skip

# Answers that are in neither table: over an answer they are words like all others, and stop it.
ANSWERS: Mapping[str, str] = {
    "en": "thanks|thank you|yes please|not yet|no idea",
    "zh": (
        "有|要|会|不会|不能|不想|不好|不可以|不知道|我不知道|不清楚|不明白|不懂|不同意|不是的|没|还没|还没有|没了|"
        "谢谢|谢谢你|不谢|不用谢|不客气"
    ),
    "ja": "ありがとう|ありがとうございます|はいお願いします|お願いします",
    "ko": "고마워요|고맙습니다|감사합니다",
    "de": "danke|ja bitte|noch nicht",
    "fr": "merci|oui sil vous plait|oui sil te plait|pas encore",
    "es": "gracias|si por favor|todavia no",
    "pt": "obrigado|obrigada|sim por favor|ainda nao",
    "it": "grazie|si per favore",
    "nl": "bedankt|dank je|ja graag|nog niet",
    "ru": "спасибо|да пожалуйста|ещё нет",
    "pl": "dziekuje|tak prosze",
    "tr": "tesekkurler|tesekkur ederim",
    "vi": "cam on",
    "id": "terima kasih",
}

# Chinese writes no blank, so of two words together it must be known whether they are two answers.
ALONE = "有|要|会|没|是|得"  # an answer as the whole text, else the verb of a sentence: 要是, 会有
# But for these, no word of one character is a piece of an answer: 好是好
TOGETHER = "好谢谢|不谢谢|对没错|好没问题|好知道了|好明白了"
GO_ON = (  # what follows belongs to them: 不是不要, 可以取消. But they are said again, and thanks may follow: 不用谢谢
    "不是|没有|不会|不能|不想|不要|不用|可以|不可以|还没|还没有|不知道|我不知道|不清楚|不明白|不同意|同意|赞同|取消|继续"
)
THANKS = "谢谢|谢谢你"
