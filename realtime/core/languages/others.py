"""Greek, Turkish, Hungarian, Finnish, Vietnamese, Indonesian, Malay, Filipino, and the scripts without capitals.

Languages that use no full stop, or none in abbreviations, have only their script: Chinese, Japanese, Korean, Thai.
"""

from __future__ import annotations

from realtime.core.languages.table import Language

GREEK = Language(
    "el",
    starts=(
        "ο η το οι τα ένας μια ένα αυτός αυτή αυτό αυτοί εγώ εσύ εμείς εσείς εκεί εδώ τώρα μετά ύστερα τότε "
        "αλλά και ή γιατί επειδή λοιπόν έτσι αν όταν πού ποιος ποια τι πώς με για από σε στο στη στον στην "
        "χωρίς πριν σήμερα αύριο χθες επίσης όμως ωστόσο ίσως όλοι όλα κάθε πολλοί είναι ήταν έχει μπορεί "
        "δεν δε μην ναι όχι θα να του της των"
    ),
    common="του της των τον την που θα να δεν είναι ότι",
    leading="κ κα κος κ.κ δρ δις καθ π.χ πχ δηλ βλ πρβλ λ.χ οδ λεωφ λ αγ αρχ στρ συντ περ ν.δ",
    short=(
        "κ.λπ κλπ κ.ά κ.ο.κ κ.τ.λ κτλ μ.μ π.μ π.χρ μ.χρ α.ε ε.π.ε χιλ εκ εκατ δισ δρχ ιαν φεβ μαρ απρ ιουν "
        "ιουλ αυγ σεπ οκτ νοε δεκ τηλ λεπ δευτ χλμ"
    ),
    numbered="αρ αριθ σελ άρθ κεφ εικ τ παρ",
    scripts="GREEK",
)
TURKISH = Language(
    "tr",
    starts=(
        "bu şu o ben sen biz siz onlar bunlar şunlar orada burada şimdi sonra önce daha ama fakat ve veya "
        "ya çünkü böylece eğer ne neden nerede nasıl kim hangi bir her bazı birçok bütün tüm hiç evet hayır "
        "bugün yarın dün ayrıca ancak belki lütfen onun benim bizim var yok için ile gibi kadar de da"
    ),
    common="için ile gibi kadar değil olan olarak çok daha mi mı mu",
    letters="ş ğ ı",
    leading=("dr doç yrd prof sn av op uzm org alb yzb gen örn bkz krş hz müh öğr.gör arş.gör mim ecz vet"),
    short=(
        "vb vs vd m.ö m.s cad sok mah apt blv kr mly mlr oca şub nis ağu eyl tel dk sn sa km kg a.ş ltd şti "
        "yy"
    ),
    numbered="no s md sy c",
    ordinals=True,
    requests="bana göster yaz tablo kod",
)
HUNGARIAN = Language(
    "hu",
    starts=(
        "a az egy ez ezek azok én te ő mi ti ők itt ott most aztán azután majd utána de és vagy mert ezért "
        "így ha amikor hol hová miért hogyan ki mit milyen melyik ma holnap tegnap is nem igen minden sok "
        "néhány van volt lesz lehet azonban bár talán kérem még már csak"
    ),
    common="hogy nem is meg egy volt van vagy",
    letters="ő ű",
    leading="dr prof ifj id özv pl ún vö ld kb szt gr br mgr",
    short=(
        "stb kr.e kr.u i.e i.sz du u sz k krt mrd ft jan febr márc ápr máj jún júl aug szept okt nov dec "
        "tel km kg bt kft zrt ill"
    ),
    numbered="sz old o évf köt",
    ordinals=True,
    requests="mutasd kérlek írj nekem táblázatot",
)
FINNISH = Language(
    "fi",
    starts=(
        "se ne tämä nämä tuo nuo minä sinä hän me te he siellä täällä nyt sitten sen jälkeen mutta ja tai "
        "koska siksi niin jos kun missä mihin miksi miten kuka mikä mitä millainen tänään huomenna eilen "
        "myös ei kyllä kaikki jokainen monet jotkut on oli ovat voi kuitenkin vaikka ehkä vielä jo vain "
        "joten"
    ),
    common="on ei että oli joka ovat mutta kuin sekä hänen",
    letters="ä ö",
    leading="tri prof esim ent ns vrt ks mm ts nk rva hra nti maist toht n",
    short="jne yms ym ynnä eaa jaa ekr jkr milj mrd klo puh p min sek os e.kr j.kr t v snt",
    numbered="s sivu nro luku kuva",
    ordinals=True,
    requests="näytä minulle voitko kirjoita taulukko",
)
VIETNAMESE = Language(
    "vi",
    starts=(
        "tôi bạn anh chị em ông bà cô chú nó họ chúng ta mình đây đó kia ở khi nếu vì nên nhưng và hoặc rồi "
        "sau trước bây hôm ngày mai tại sao ai gì nào thế các những một mỗi tất nhiều có không là được đã "
        "đang sẽ cũng vẫn chỉ hãy xin vâng trong"
    ),
    common="của là được không trong cho với người này",
    letters="đ ơ ư",
    leading="tp ts ths gs pgs bs ks cn tx q p h.x đ ths ông.bà mr mrs dr",
    short="v.v vv tcn scn tr.cn sđt km kg tr",
    numbered="tr số điều t",
    requests="làm xem viết bảng",
)
_MALAY_STARTS = (
    "saya aku anda kamu dia ia kami kita mereka ini itu ada di ke dari pada dengan untuk tanpa setelah "
    "selepas sebelum kemudian lalu sekarang tetapi tapi dan atau karena kerana jadi oleh jika kalau "
    "apabila ketika bila siapa apa mana mengapa kenapa bagaimana hari esok besok kemarin semalam juga "
    "tidak bukan ya semua setiap banyak beberapa akan sudah masih hanya namun meskipun walaupun mungkin "
    "sila silakan para seorang sebuah"
)
INDONESIAN = Language(
    "id",
    starts=_MALAY_STARTS,
    common="yang adalah dapat bisa telah tersebut dalam",
    leading=(
        "bpk bp sdr sdri tn ny nn dr drg drs dra prof ir jl jln gg kh kgp hj h pt cv yth a.n u.p mis spt "
        "s.d jend kol kapt letkol"
    ),
    short=(
        "dll dsb dst dkk tsb s.h s.e s.t m.m m.a s.pd s.kom ph.d tbk jan feb mar apr jun jul agu agt sep "
        "okt nov des sm m rb jt hlm hal kab kec prov telp thn"
    ),
    numbered="no hlm hal rp pasal bab",
    requests="tunjukkan tolong tulis",
)
MALAY = Language(
    "ms",
    starts=_MALAY_STARTS,
    common="yang ialah boleh telah tersebut dalam anda awak encik",
    leading="en pn dr prof dato hj ir sdn yb yab jln lrg tn ust",
    short="dll dsb dst bhd jan feb mac apr jun jul ogos sept okt nov dis sm tel spm",
    numbered="no hlm bil rm bab",
)
FILIPINO = Language(
    "fil",
    starts=(
        "ang ng mga si sina ako ikaw siya kami tayo kayo sila ito iyan iyon dito diyan doon ngayon "
        "pagkatapos bago pero ngunit at o dahil kaya kung kapag kailan saan sino ano bakit paano alin bukas "
        "kahapon din rin hindi oo wala may mayroon lahat bawat marami ilan sa para"
    ),
    common="na sa ay nang kay hindi naman lang po",
    leading="g gng bb dr dra prof gob kgg sta sto atty engr hal",
    short="atbp n.u n.h ene peb mar abr hun hul ago set okt nob dis",
    numbered="blg p pah",
)
HINDI = Language(
    "hi",
    starts=(
        "यह वह ये वे मैं हम आप तुम और लेकिन परंतु या क्योंकि इसलिए अगर जब कहाँ क्या क्यों कैसे कौन अब फिर "
        "आज कल यहाँ वहाँ उस इस उनका उसने उन्होंने"
    ),
    common="है हैं का की के में से को पर था थे",
    leading="डॉ डा श्री सुश्री प्रो पं स्व उदा कु मो इंजी एड जन ले",
    short="कि.मी किमी मि.मी से.मी कि.ग्रा ई.पू ई आदि लि प्रा रु",
    numbered="सं पृ रु नं क्र",
    scripts="DEVANAGARI",
)
TAMIL = Language(
    "ta",
    starts=(
        "இது அது இவை அவை நான் நாம் நீ நீங்கள் அவர் அவன் அவள் அவர்கள் ஆனால் மற்றும் அல்லது ஏனெனில் எனவே "
        "பிறகு இப்போது இன்று நாளை எங்கே என்ன ஏன் எப்படி யார்"
    ),
    common="ஒரு என்று உள்ளது இல்லை",
    leading="திரு திருமதி செல்வி டாக்டர் பேரா முனைவர் எ.கா",
    short="கி.மீ கி.மு கி.பி மு.ப பி.ப ரூ மி.மீ",
    numbered="எண் பக் ரூ",
    scripts="TAMIL",
)
ARABIC = Language(
    "ar",
    starts=(
        "هذا هذه ذلك تلك هو هي هم أنا نحن أنت لكن ولكن ثم لأن إذا عندما أين ماذا لماذا كيف من الآن اليوم "
        "غدا أمس هنا هناك كان كانت في"
    ),
    common="من إلى على عن في أن التي الذي",
    leading="د أ أ.د م السيد ص.ب ج.م.ع",
    short="إلخ الخ هـ ق.م كم كغ ه",
    numbered="ص رقم ج",
    scripts="ARABIC",
)
PERSIAN = Language(
    "fa",
    starts=(
        "این آن او من ما شما آنها اما ولی و یا زیرا چون اگر وقتی کجا چه چرا چگونه کی حالا اکنون سپس بعد "
        "امروز فردا دیروز اینجا آنجا بود"
    ),
    common="است که را از به با برای های",
    letters="پ چ ژ گ",
    leading="د مهندس ر.ک",
    short="ق.م ه.ش ه.ق و.غیره",
    numbered="ص ش ج",
    scripts="ARABIC",
)
HEBREW = Language(
    "he",
    starts=(
        "זה זאת הוא היא הם הן אני אנחנו אתה את אבל או כי לכן אם כאשר מתי איפה מה למה איך מי עכשיו אז היום "
        "מחר אתמול כאן שם היה הייתה יש"
    ),
    common="של על עם לא גם כל",
    leading="גב מר פרופ ד״ר",
    short="ת.ד ק״מ וכו",
    numbered="עמ מס",
    scripts="HEBREW",
)
CHINESE = Language("zh", scripts="HAN")
JAPANESE = Language("ja", scripts="KANA HAN")
KOREAN = Language("ko", scripts="HANGUL")
THAI = Language("th", scripts="THAI")
ALL = (
    *(GREEK, TURKISH, HUNGARIAN, FINNISH, VIETNAMESE, INDONESIAN, MALAY, FILIPINO),
    *(HINDI, TAMIL, ARABIC, PERSIAN, HEBREW),
    *(CHINESE, JAPANESE, KOREAN, THAI),
)
