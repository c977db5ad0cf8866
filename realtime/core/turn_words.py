"""Commands, objections and questions of one word: what takes the turn even if it is very short. A table, by language.

Phrases are separated by "|", their spelling is that of `folding.fold` or any other. Who asks is `short_words.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

TURN_WORDS: Mapping[str, str] = {
    "en": (
        "stop|stop it|stop stop|stop talking|stop there|wait|wait wait|wait a minute|wait a second|hold on|"
        "hang on|pause|no|nope|nah|uhuh|nuhuh|huhuh|unhunh|unuh|no no|cancel|enough|quiet|be quiet|silence|"
        "shush|shut up|hush|halt|abort|quit|exit|hey|hello|excuse me|sorry|next|skip|back|go back|again|repeat|louder|"
        "slower|faster|quieter|help|what|why|how|who|where|when|which|wrong|thats wrong|not that|never mind|"
        "nevermind|dont|but|actually|listen|one moment|just a moment"
    ),
    "zh": (
        "停|停下|停下来|停下來|停一下|停停|别说了|別說了|别说|別說|别讲了|不要说了|不要|不|不是|不对|不對|不用|"
        "不行|不用了|等|等等|等一下|等下|等一等|等会|慢着|且慢|打住|住口|闭嘴|閉嘴|安静|安靜|够了|夠了|取消|错|"
        "错了|錯了|暂停|暫停|算了|再说|再见|什么|什麼|为什么|為什麼|怎么|谁|哪里|喂|下一个|下一個|跳过|换一个|"
        "重来|再来|再说一遍|大声点|慢点|快点|没有|沒有|"
        "可不行|那可不行|这可不行|那可不好|那可不对"
    ),
    "yue": "唔好|唔係|唔使|唔得|停呀|收聲|收声|等陣|等阵|咪住|得啦|夠啦|點解|乜嘢|唔啱",
    "ja": (
        "やめて|やめろ|やめ|止めて|辞めて|止まって|とまって|ストップ|待って|まって|ちょっと待って|ちょっとまって|"
        "待った|いや|いいえ|いえ|ううん|違う|違います|ちがう|だめ|ダメ|駄目|もういい|もういいよ|もういいです|"
        "黙って|静かに|うるさい|キャンセル|中止|次|つぎ|もう一度|何|なに|なんで|なぜ|誰|どこ|いつ|え|えっ|"
        "すみません|ねえ|ちょっと|戻って|スキップ|結構です"
    ),
    "ko": (
        "멈춰|멈춰요|멈추세요|그만|그만해|그만해요|그만하세요|정지|중지|스톱|스탑|잠깐|잠깐만|잠깐만요|잠시만|"
        "잠시만요|기다려|기다려요|아니|아니요|아뇨|아니야|안돼|안 돼|안돼요|됐어|됐어요|취소|조용|조용히|"
        "조용히 해|다음|다시|뭐|왜|누구|어디|언제|싫어|틀렸어|저기요|저기"
    ),
    "de": (
        "halt|stopp|stop|warte|warte mal|warten sie|moment|moment mal|einen moment|nein|nee|ne|no|quatsch|falsch|"
        "aufhoren|hor auf|genug|ruhe|sei still|leise|abbrechen|abbruch|pause|schluss|weg|lass|lass das|was|warum|"
        "wie|wer|wo|wann|wieso|hallo|zuruck|nochmal|noch mal|nachste|aber|stimmt nicht|nicht|entschuldigung|"
        "lauter|langsamer|schneller|hilfe"
    ),
    "fr": (
        "arrete|arretez|arrete toi|stop|stoppe|attends|attendez|attends un peu|non|nan|pas ca|tais toi|"
        "taisez vous|silence|chut|assez|ca suffit|une seconde|un instant|un moment|annule|annuler|pause|faux|"
        "c est faux|quoi|pourquoi|comment|qui|ou|quand|suivant|encore|recommence|mais|minute|pardon|moins vite|"
        "plus fort|aide"
    ),
    "es": (
        "para|parate|pare|alto|detente|detengase|basta|basta ya|espera|espere|esperate|un momento|momento|no|"
        "no no|que no|calla|callate|silencio|cancela|cancelar|pausa|suficiente|mal|eso no|que|por que|como|quien|"
        "donde|cuando|siguiente|otra vez|repite|pero|oye|perdona|ayuda|mas despacio|mas alto"
    ),
    "pt": (
        "para|pare|parar|pera|espera|espere|esperai|pera ai|um momento|nao|nao nao|chega|basta|cala a boca|"
        "calado|cale se|silencio|cancela|cancelar|pausa|errado|que|o que|por que|porque|como|quem|onde|quando|"
        "proximo|de novo|repete|mas|ei|desculpa|ajuda"
    ),
    "it": (
        "fermati|fermo|ferma|fermatevi|stop|alt|basta|aspetta|aspetti|un attimo|un momento|no|no no|zitto|zitta|"
        "taci|silenzio|annulla|pausa|smettila|sbagliato|cosa|perche|come|chi|dove|quando|prossimo|ancora|ripeti|"
        "ma|scusa|aiuto|piano"
    ),
    "nl": (
        "stop|stop maar|hou op|houd op|wacht|wacht even|ho|hola|nee|neen|stil|stilte|genoeg|moment|even wachten|"
        "annuleer|annuleren|pauze|fout|wat|waarom|hoe|wie|waar|wanneer|volgende|nog een keer|maar|hallo|sorry|"
        "help"
    ),
    "ru": (
        "стоп|стой|стойте|остановись|остановитесь|хватит|подожди|подождите|погоди|погодите|постой|минуту|минутку|"
        "нет|не|не надо|неа|тихо|тише|молчи|замолчи|замолчите|отмена|отмени|пауза|довольно|достаточно|неверно|"
        "неправильно|что|почему|как|кто|где|когда|дальше|ещё раз|повтори|но|эй|алло|извини|помоги"
    ),
    "uk": (
        "стоп|стій|стійте|зупинись|зупиніться|годі|досить|зачекай|зачекайте|почекай|хвилинку|ні|не треба|тихо|"
        "мовчи|замовкни|скасуй|пауза|що|чому|як|хто|де|коли|далі|повтори|але|агов"
    ),
    "pl": (
        "stop|stoj|przestan|czekaj|poczekaj|zaczekaj|moment|chwila|chwileczke|nie|nie nie|no|cicho|cisza|dosc|"
        "wystarczy|anuluj|pauza|zle|co|dlaczego|jak|kto|gdzie|kiedy|dalej|jeszcze raz|powtorz|ale|hej|"
        "przepraszam|pomoc|zamknij sie"
    ),
    "cs": (
        "stop|stuj|zastav|prestan|pockej|pockejte|moment|chvilku|ne|nene|ticho|dost|staci|zrus|zrusit|pauza|"
        "spatne|co|proc|jak|kdo|kde|kdy|dalsi|znovu|ale|hele|promin|pomoc|zmlkni"
    ),
    "sk": (
        "stop|stoj|zastav|prestan|pockaj|pockajte|moment|chvilu|nie|nienie|ticho|dost|staci|zrus|pauza|zle|co|"
        "preco|ako|kto|kde|kedy|dalsi|znova|ale|prepac|pomoc"
    ),
    "sl": (
        "stop|stoj|nehaj|pocakaj|trenutek|ne|tiho|tisina|dovolj|preklici|kaj|zakaj|kako|kdo|kje|kdaj|naprej|ampak"
    ),
    "hr": (
        "stop|stani|stoj|prestani|cekaj|pricekaj|trenutak|ne|tiho|tisina|dosta|dovoljno|otkazi|pauza|sto|sta|"
        "zasto|kako|tko|ko|gdje|kad|dalje|ali"
    ),
    "bg": (
        "стоп|спри|спрете|чакай|почакай|изчакай|момент|не|тихо|тишина|стига|достатъчно|отмени|пауза|какво|защо|"
        "как|кой|къде|кога|но|ало"
    ),
    "ro": (
        "stop|opreste|opreste te|stai|asteapta|un moment|moment|nu|nu nu|taci|liniste|gata|destul|ajunge|"
        "anuleaza|pauza|gresit|ce|de ce|cum|cine|unde|cand|urmatorul|din nou|dar|alo|ajutor"
    ),
    "hu": (
        "allj|alljon|stop|megallj|varj|varjon|varj csak|pillanat|egy pillanat|nem|nem nem|csend|hallgass|eleg|"
        "megse|szunet|rossz|mi|miert|hogyan|ki|hol|mikor|tovabb|ujra|de|hallo|bocsanat|segitseg"
    ),
    "tr": (
        "dur|durun|dur bir dakika|bekle|bekleyin|bir dakika|bir saniye|hayir|yok|olmaz|sus|susun|sessiz|yeter|"
        "yeterli|iptal|kes|yanlis|ne|neden|nicin|nasil|kim|nerede|ne zaman|sonraki|tekrar|ama|alo|pardon|yardim"
    ),
    "el": (
        "σταματα|σταματηστε|στοπ|στασου|περιμενε|περιμενετε|μια στιγμη|οχι|μη|μην|ησυχια|σιωπη|σκασε|αρκετα|"
        "φτανει|ακυρο|παυση|λαθος|τι|γιατι|πως|ποιος|που|ποτε|επομενο|ξανα|αλλα|βοηθεια|συγγνωμη"
    ),
    "sv": (
        "stopp|stanna|sluta|vanta|vanta lite|ett ogonblick|nej|tyst|tystnad|nog|det racker|avbryt|paus|fel|vad|"
        "varfor|hur|vem|var|nar|nasta|men|hallo|ursakta|hjalp"
    ),
    "da": (
        "stop|stands|vent|vent lidt|et ojeblik|nej|stille|ti stille|nok|annuller|afbryd|pause|forkert|hvad|"
        "hvorfor|hvordan|hvem|hvor|hvornar|naeste|men|hallo|undskyld|hjaelp"
    ),
    "nb": (
        "stopp|stans|vent|vent litt|et oyeblikk|nei|stille|hysj|nok|avbryt|pause|feil|hva|hvorfor|hvordan|hvem|"
        "hvor|nar|neste|igjen|men|hallo|unnskyld|hjelp"
    ),
    "fi": (
        "seis|stop|lopeta|pysahdy|odota|odotas|hetki|hetkinen|ei|eiei|hiljaa|hiljaisuus|riittaa|peruuta|tauko|"
        "vaarin|mita|miksi|miten|kuka|missa|milloin|seuraava|uudestaan|mutta|haloo|anteeksi|apua"
    ),
    "ca": (
        "para|atura|aturat|prou|espera|esperat|un moment|no|calla|silenci|cancella|pausa|malament|que|per que|"
        "com|qui|on|quan|seguent|pero|ajuda"
    ),
    "af": (
        "stop|wag|wag n bietjie|nee|stil|stilte|genoeg|kanselleer|verkeerd|wat|hoekom|hoe|wie|waar|wanneer|maar"
    ),
    "ar": (
        "توقف|توقفي|قف|كفى|كفاية|انتظر|انتظري|استنى|لحظة|دقيقة|لا|لا لا|لأ|اسكت|اسكتي|اصمت|هدوء|بس|خلص|إلغاء|"
        "الغاء|خطأ|غلط|ماذا|لماذا|ليش|ليه|كيف|من|أين|متى|التالي|لكن|ألو|عفوا|مساعدة"
    ),
    "fa": (
        "ایست|بس|بس کن|بسه|صبر کن|صبر|وایسا|یک لحظه|نه|نخیر|ساکت|خفه|کافیه|لغو|اشتباه|چی|چه|چرا|چطور|کی|کجا|بعدی|"
        "دوباره|اما|الو|ببخشید|کمک"
    ),
    "he": (
        "עצור|עצרי|תעצור|תעצרי|די|מספיק|חכה|חכי|רגע|רק רגע|לא|לא לא|שקט|תשתוק|בטל|ביטול|טעות|מה|למה|איך|מי|איפה|"
        "מתי|הבא|שוב|אבל|הלו|סליחה|עזרה"
    ),
    "hi": (
        "रुको|रुकिए|रुक|रुक जाओ|बस|बस करो|ठहरो|ठहरिए|एक मिनट|नहीं|नही|ना|मत|चुप|चुप रहो|शांत|बंद करो|बंद|रद्द|"
        "गलत|क्या|क्यों|कैसे|कौन|कहाँ|कहां|कब|अगला|फिर से|लेकिन|सुनो|मदद"
    ),
    "bn": "থামো|থামুন|দাঁড়াও|অপেক্ষা করো|না|চুপ|বন্ধ করো|যথেষ্ট|কি|কী|কেন|কিভাবে|কে|কোথায়|কখন|কিন্তু|শোনো",
    "ta": "நிறுத்து|நில்|நில்லு|பொறு|இல்லை|வேண்டாம்|போதும்|அமைதி|என்ன|ஏன்|எப்படி|யார்|எங்கே|எப்போது",
    "ur": (
        "رکو|رکیے|بس|بس کرو|ٹھہرو|ایک منٹ|نہیں|نہ|مت|چپ|خاموش|بند کرو|غلط|کیا|کیوں|کیسے|کون|کہاں|کب|لیکن|سنو"
    ),
    "th": (
        "หยุด|หยุดก่อน|หยุดเถอะ|หยุดพูด|รอ|รอก่อน|รอเดี๋ยว|เดี๋ยว|เดี๋ยวก่อน|ไม่|ไม่ใช่|ไม่เอา|ไม่ต้อง|พอ|พอแล้ว|"
        "เงียบ|ยกเลิก|ผิด|อะไร|ทำไม|ยังไง|ใคร|ที่ไหน|เมื่อไหร่|แต่|ขอโทษ|ช่วยด้วย"
    ),
    "vi": (
        "dung lai|ngung|ngung lai|thoi|cho|cho da|cho chut|khoan|khoan da|doi|doi da|khong|khong phai|sai|"
        "sai roi|im|im lang|im di|du roi|huy|tam dung|gi|cai gi|tai sao|sao|the nao|ai|o dau|khi nao|tiep|lai|"
        "nhung|alo|xin loi"
    ),
    "id": (
        "berhenti|stop|tunggu|tunggu dulu|sebentar|tidak|nggak|enggak|gak|bukan|jangan|diam|cukup|sudah|batal|"
        "batalkan|salah|apa|kenapa|mengapa|bagaimana|siapa|dimana|kapan|lanjut|ulangi|tapi|halo|maaf|tolong"
    ),
    "ms": (
        "berhenti|henti|tunggu|tunggu dulu|nanti|sekejap|tidak|bukan|jangan|diam|senyap|cukup|batal|salah|apa|"
        "kenapa|bagaimana|siapa|mana|bila|ulang|tapi|maaf|tolong"
    ),
    "fil": (
        "tigil|tigilan mo|hinto|itigil|huminto|teka|teka lang|sandali|sandali lang|saglit|hintay|hindi|hindi po|"
        "ayaw|tahimik|tama na|sapat na|mali|bakit|paano|sino|saan|kailan|ulitin|pero|tulong"
    ),
}  # fmt: skip
