"""What transcribers write for silence and noise: the phrases of videos that they have learnt from. A table.

Subtitlers' credits and goodbyes to viewers, by language, as regular expressions over folded text (`folding.fold`).
Nobody says these to an assistant; "thank you" and "see you" are not among them. Who asks is `invented.py`.
"""

from __future__ import annotations

ANYWHERE = (  # a name or an address in the text is enough
    r"\bamara ?org", r"\bopensubtitles\b", r"\bcastingwords\b", r"\bsoustitreur ?com\b", r"\bdimatorzok\b",
    r"明[镜鏡][与與]?[点點][点點]", r"请不吝点赞|請不吝點贊", r"打[赏賞]支持",
    r"[点點][赞贊讚] ?[订訂][阅閱] ?[转轉]", r"(?:优优|優優)?[独獨]播[剧劇][场場]", r"字幕(?:志愿者|志願者)",
    r"次回予告", r"最後までご(?:視聴|覧)", r"字幕は視聴者によって作成", r"チャンネル登録.{0,12}お願い",
    r"한글 ?자막 ?by", r"자막 ?제공", r"구독과? ?좋아요", r"ترجمة نانسي", r"altyazi m k\b", r"\bauthorwave\b",
)  # fmt: skip

WHOLE = (  # nothing else is in the text, but for what stands around it in each pattern
    # Chinese
    r"(?:中文)?字幕(?:由.{1,20}(?:提供|制作|製作|翻译|翻譯)|by .{1,24}|(?:制作|製作)[词詞].{0,8})",
    r"(?:中文)?字幕(?:制作|製作|翻译|翻譯|校对|校對|提供|组|組)(?:人|者|员|員)?", r"(?:作[词詞曲]|[词詞]曲|[编編]曲)",
    r"(?:非常)?(?:[谢謝]{2}|感[谢謝])(?:大家|各位|您|你)?的?(?:收看|[观觀]看|收[听聽])",
    r"(?:我们|我們)?下(?:期|集|[个個]?[视視][频頻])(?:[视視][频頻]|节目|節目)?再[见見]",
    r"(?:请|請|[记記]得|欢迎|歡迎)?[订訂][阅閱](?:我的?|我们的?|我們的?|本)?[频頻]道",
    # Japanese
    r"ご(?:視聴|清聴|覧)(?:いただき|頂き|くださり)?(?:まして)?(?:誠に)?ありがとうございま(?:した|す)",
    r"(?:それでは)?また次の動画でお会いしましょう",
    # Korean
    r"(?:지금까지 )?(?:시청|청취)해? ?주[셔시][서어]? ?(?:감사합니다|고맙습니다)",
    r"다음 ?(?:영상|시간)에서? ?(?:만나요|뵙겠습니다)", r"(?:mbc|kbs|sbs) ?뉴스 .{1,16}(?:입니다|였습니다)",
    # English
    r"(?:(?:ok(?:ay)?|so|and|well) )?(?:thank you|thanks)(?: (?:all|guys|everyone))?(?: (?:so|very) "
    r"much)? for (?:watching|viewing|listening to this video)(?: (?:this|the|my|our)? ?(?:video|"
    r"channel))?(?: (?:and|see|please|have|bye|goodbye|ill|i ll|until|dont|we) .{0,60})?",
    r"(?:please |don ?t forget to |remember to |make sure to )*(?:like|share|comment)(?: and| share| "
    r"comment)* subscribe.{0,60}",
    r"(?:please |don ?t forget to |remember to )+subscribe.{0,60}", r"subscribe to (?:my|our|the) channel.{0,40}",
    r"(?:i ?ll )?see you(?: all| guys)? in (?:the|my|our) next (?:video|one|episode)(?: .{0,20})?",
    r"(?:subtitles?|captions?|transcripts?|transcription|subtitled|captioned|transcribed|translated|"
    r"translation)(?: (?:created|provided|made|done|edited|and|synced|corrected))* by (?!default).{2,60}",
    r"(?:for more (?:information|videos) )?(?:please )?(?:visit )?www [a-z0-9 ]{2,30}(?: (?:com|org|net|"
    r"gov|edu|uk|de|fr))",
    # German
    r"untertitel(?:ung)? (?:im auftrag|aufgrund|bei swr|zdf|ard|swr|wdr|ndr|br)(?: .{0,60})?",
    r"(?:vielen dank|danke|danke schon)(?: (?:euch|ihnen))? (?:furs|fur das|fur eure?n?|fur ihre?) "
    r"(?:zuschauen|zusehen|zugucken|aufmerksamkeit)",
    r"(?:copyright )?(?:wdr|swr|zdf|ard|ndr|mdr|orf)(?: fur funk)? (?:19|20)\d\d",
    r"(?:bitte )?abonniert? (?:den|meinen|unseren) kanal.{0,30}",
    # French
    r"sous ?titr(?:es?|age)(?: (?:realises?|st|par (?!defaut)|societe)(?: ?.{0,60}))",
    r"sous ?titrage(?: .{1,20})?",
    r"merci (?:a tous )?(?:davoir|d avoir|de) (?:regarder?|ecouter?|visionner?|suivi|suivre)(?: (?:cette|"
    r"la|ma) video)?",
    r"(?:noubliez|n oubliez) pas de vous abonner.{0,40}",
    r"abonnez vous(?: a (?:la|ma|notre) chaine)?|abonnezvous.{0,30}",
    # Spanish and Catalan
    r"subtit(?:ulos|ulado|ols|ulat)(?: (?:realizados?|creados?|hechos))* (?:por|per|de la comunidad) "
    r"(?!defecto|favor).{2,60}",
    r"(?:muchas )?gracias por (?:ver|mirar|ver(?:me)?)(?: (?:el|este|mi) video)?",
    r"(?:no olvides |no te olvides de )?suscribirte.{0,40}", r"suscribete(?: (?:a mi|al) canal)?.{0,30}",
    r"gracies per (?:veure|mirar).{0,20}",
    # Portuguese
    r"legendas? (?:pela|por) (?!favor|padrao).{2,60}",
    r"(?:muito )?obrigad[oa]s? por (?:assistir|assistirem|ver)(?: .{0,20})?",
    r"inscreva ?se(?: no)?(?: meu| nosso)? canal.{0,30}|inscrevase.{0,30}",
    r"nao se esque(?:ca|cam) de se inscrever.{0,30}",
    # Italian
    r"sottotitoli (?:creati|e revisione|a cura) .{2,60}",
    r"grazie (?:a tutti )?per (?:la visione|aver guardato|aver visto|lattenzione|l attenzione)(?: .{0,20})?",
    r"iscriv(?:iti|etevi) al (?:mio |nostro )?canale.{0,30}",
    # Dutch and Afrikaans
    r"ondertitel(?:ing|s|d) (?:door|ingediend|tv) .{2,60}", r"(?:tv|omroep) gelderland.{0,12}",
    r"(?:heel erg )?(?:bedankt|dank (?:u|je|jullie)(?: wel)?) voor het kijken.{0,30}",
    r"dankie (?:vir die kyk|dat jy gekyk het)",
    # Polish, Czech, Slovak, Slovenian, Croatian
    r"napisy(?: stworzone)? przez .{2,60}", r"dziekuj(?:e|emy) za (?:uwage|ogladanie|obejrzenie)(?: .{0,20})?",
    r"titulky (?:vytvoril|vyrobil|pripravil) .{2,40}", r"dekuj(?:i|eme) za (?:pozornost|sledovani|shlednuti)",
    r"dakuj(?:em|eme) za (?:pozornost|sledovanie|pozretie)",
    r"hvala (?:vam )?(?:za ogled|sto pratite|na gledanju|na paznji|za gledanje)",
    r"prijevod .{2,20} titlovi .{2,30}",
    # Russian, Ukrainian, Bulgarian
    r"(?:редактор )?субтитр(?:ы|ов|и)(?: (?:создавал|сделал|подготовил|подогнал|делал|от|создал|создан)).{0,60}",
    r"редактор субтитров .{2,60}", r"спасибо (?:вам |всем )?за (?:просмотр|внимание|подписку)",
    r"продолжение следует",
    r"подписывайтесь на (?:мои |наш |этот )?канал.{0,40}|подписываитесь на (?:мои |наш |этот )?канал.{0,40}",
    r"дякую(?:мо)? за (?:перегляд|увагу)", r"благодар(?:я|им) (?:ви |ти )?за (?:гледането|вниманието)",
    r"субтитри (?:от|на) .{2,40}",
    # Romanian, Hungarian, Turkish, Greek
    r"(?:va )?multum(?:im|esc) (?:pentru|ca ati) (?:vizionare|vizualizare|urmarire|urmarit|vizionat)",
    r"subtitrarea? (?:de|realizata) .{2,40}",
    r"kosz(?:onom|onjuk) (?:szepen )?(?:hogy megnezt(?:ed|etek)|a figyelmet|a figyelmuket)",
    r"felirat(?:ok|ot)? (?:keszitette|amara).{0,40}",
    r"izlediginiz icin (?:cok )?tesekkur(?:ler| ederim| ederiz)?",
    r"(?:kanalima |kanala )?abone ol(?:mayi unutmayin|un)?.{0,30}",
    r"(?:σας )?ευχαριστ(?:ω|ουμε) που (?:παρακολουθησατε|ειδατε).{0,20}",
    # Swedish, Danish, Norwegian, Finnish
    r"tack (?:sa mycket )?for att (?:ni|du) (?:har )?(?:tittat|tittade|sett)(?: pa)?(?: .{0,20})?",
    r"(?:svensk )?undertext(?:er|ning)? (?:av|stina) .{2,40}",
    r"tak (?:for|fordi) (?:i|du) (?:sa|har set) med.{0,20}|tak fordi du kiggede med",
    r"(?:danske )?(?:under)?tekster af .{2,40}", r"takk for (?:at (?:du|dere) sa pa|titten|seingen).{0,20}",
    r"(?:undertekster|teksting|tekstet) av .{2,40}", r"kiitos (?:kun|etta) (?:katsoit|katsoitte|katselit).{0,20}",
    r"suomennos .{2,40}",
    # Arabic, Persian, Hebrew, Hindi, Urdu, Bengali, Tamil
    r"اشتركوا? (?:في|ب) ?(?:القناة|قناتنا|قناتي).{0,30}",
    r"شكرا (?:لكم |لك |جزيلا )*(?:على|ل)? ?(?:ال|لل)?مشاهد(?:ة|تكم|تك).{0,20}",
    r"(?:با )?(?:تشکر|سپاس|ممنون) (?:از|که) .{0,12}(?:تماشا|همراهی).{0,16}",
    r"זיר?נוס .{0,20}|תודה (?:רבה )?(?:על (?:ה)?צפייה|שצפיתם).{0,20}",
    r"(?:वीडियो )?देखने के लिए (?:आपका )?(?:बहुत )?(?:बहुत )?(?:धन्यवाद|शुक्रिया)",
    r".{0,16}चैनल को सब्सक्राइब.{0,24}", r"(?:ویڈیو )?دیکھنے کا (?:بہت )?شکریہ",
    r"(?:ভিডিওটি )?দেখার জন্য ধন্যবাদ",
    # Indonesian, Malay, Filipino, Vietnamese, Thai
    r"terima ?kasih (?:telah|sudah|kerana|karena|atas)? ?(?:menonton|tontonan).{0,30}",
    r"jangan lupa (?:untuk )?(?:like|subscribe|klik).{0,50}", r"(?:maraming )?salamat (?:po )?sa panonood.{0,20}",
    r"(?:cam|xin cam) on (?:cac ban|ban|quy vi)? ?da (?:theo doi|xem|lang nghe).{0,40}",
    r"(?:hay|nho|dung quen) (?:subscribe|dang ky|nhan dang ky).{0,60}",
    r"ขอบคุณ(?:ที่|สำหรับการ)?(?:รับชม|ติดตามชม)(?:ค่ะ|ครับ|นะคะ|นะครับ)?",
    r"(?:อย่าลืม)?กด(?:ติดตาม|subscribe|ไลค์).{0,30}",
)  # fmt: skip

PROMPTS = (  # with which transcribers are told to write Chinese: they repeat it when they hear nothing
    "以下是普通话的句子", "以下是普通話的句子", "以下是普通话的句子，请以简体输出",
    "以下是普通話的句子，請以繁體輸出",
)  # fmt: skip
