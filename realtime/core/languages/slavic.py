"""Russian, Ukrainian, Bulgarian, Polish, Czech, Slovak, Slovenian and Croatian."""

from __future__ import annotations

from realtime.core.languages.table import Language

RUSSIAN = Language(
    "ru",
    starts=(
        "я ты он она оно мы вы они это этот эта эти тот та те там тут здесь кто что когда где куда почему "
        "как какой какая если но и а или потому поэтому потом затем теперь сейчас сегодня завтра вчера "
        "после до перед через в во на с со у к по из от для без при за над под о об не нет да его её ее их "
        "мой моя наш ваш свой все всё каждый многие некоторые был была было были есть так также тоже ещё "
        "еще уже только однако хотя пока может пожалуйста"
    ),
    common="чтобы который которые быть очень же бы ли этого",
    letters="ы э",
    leading=(
        "т.е т.к т.н т.наз г-н г-жа гг.н проф акад доц канд д-р ул пл просп пр-т пер наб бул ш пос дер им "
        "св тов напр см ср гр ред инж ген полк кап лейт о.г"
    ),
    short=(
        "и.т.д т.д т.п и.др др пр гг г вв н.э до.н.э руб коп тыс млн млрд трлн чел мин сек ч км кг "
        "янв февр фев мар апр июн июл авг сент сен окт нояб ноя дек тел обл р-н и.о с.ш в.д ю.ш проч"
    ),
    numbered="стр рис табл гл п пп ст ч т кв д к стб № эт",
    requests="напиши покажи мне код",
    scripts="CYRILLIC",
)
UKRAINIAN = Language(
    "uk",
    starts=(
        "я ти він вона воно ми ви вони це цей ця ці той та там тут хто що коли де куди чому як який яка "
        "якщо але і й а або тому потім тепер зараз сьогодні завтра вчора після до перед через в у на з із "
        "зі по від для без при за над під про не ні так його її їх мій моя наш ваш всі все кожен багато "
        "деякі був була було були є також теж ще вже тільки лише однак проте хоча поки може"
    ),
    common="щоб який які бути дуже же би чи цього і",
    letters="ї є ґ",
    leading="т.зв п проф акад доц д-р вул пл просп пров бульв ім св напр див пор гр ред інж ген м о",
    short=(
        "т.д т.п і.т.д ін та.ін р рр ст н.е до.н.е грн коп тис млн млрд трлн чол хв сек год км кг січ лют "
        "бер квіт трав черв лип серп вер жовт лист груд тел обл р-н"
    ),
    numbered="стор с рис табл гл п пп ст ч т кв буд №",
    requests="напиши покажи мені код",
    scripts="CYRILLIC",
)
BULGARIAN = Language(
    "bg",
    starts=(
        "аз ти той тя то ние вие те това този тази тези онзи там тук кой какво кога къде защо как ако но и "
        "а или защото затова после след сега днес утре вчера преди през в във на с със у към по от за без "
        "при над под не да неговият нейният моят моята нашият всички всеки много някои беше бяха е са има "
        "също още вече само обаче въпреки докато може"
    ),
    common="че който която които много се ще си",
    letters="ъ",
    leading="т.е т.нар г-н г-жа г-ца проф акад доц д-р инж ул бул пл кв св напр вж ср гр арх адв ген",
    short=(
        "т.н и.т.н и.др др г гг пр.хр сл.хр н.е лв ст хил млн млрд мин сек ч км кг ян фев мар апр юни юли "
        "авг септ окт ноем дек тел обл"
    ),
    numbered="стр фиг табл гл чл ал т бр №",
    requests="напиши покажи ми кода",
    scripts="CYRILLIC",
)
POLISH = Language(
    "pl",
    starts=(
        "ja ty on ona ono my wy oni one to ten ta te tamten tam tu kto co kiedy gdzie dokąd dlaczego jak "
        "jaki jaka jeśli jeżeli gdy ale i a lub albo bo ponieważ więc dlatego potem następnie teraz dziś "
        "dzisiaj jutro wczoraj po przed przez w we na z ze u do od dla bez przy za nad pod o nie tak jego "
        "jej ich mój moja nasz wasz wszyscy wszystko każdy wiele niektóre był była było byli jest są ma "
        "może też także jeszcze już tylko jednak chociaż proszę pan pani"
    ),
    common="się że który która które być bardzo nie jest od",
    letters="ł ą ę ż",
    leading=(
        "np tzn tj tzw m.in p pp dr dyr prof mgr inż lek hab doc ks św bł ul al pl os płk gen kpt mjr por "
        "ppor sierż red ok wg zob por śp ww ds jw br tys"
    ),
    short=(
        "itd itp etc r ww r.p.n.e p.n.e n.e godz zł gr tys mln mld min sek km kg sty lut kwi cze wrz paź "
        "gru pn wt śr czw pt sob nd tel woj pow im"
    ),
    numbered="nr str s art ust pkt rozdz rys tab t poz",
    ordinals=True,
    requests="pokaż mi napisz czy tabelę kod",
)
CZECH = Language(
    "cs",
    starts=(
        "já ty on ona ono my vy oni to ten ta ti tento tato tam tady zde kdo co kdy kde kam proč jak jaký "
        "jaká jestli pokud když ale a i nebo protože proto potom pak nyní teď dnes zítra včera po před přes "
        "v ve na s se z ze u k do od pro bez při za nad pod o ne ano jeho její jejich můj moje náš váš "
        "všichni všechno každý mnoho někteří byl byla bylo byli je jsou má může také ještě už jen však "
        "ačkoli prosím"
    ),
    common="že který která které být velmi jsem není",
    letters="ř ě ů",
    leading=(
        "např tj tzn tzv mj resp popř p pí sl dr mudr judr phdr rndr ing mgr bc prof doc csc ul nám tř sv "
        "gen plk kpt mjr por viz srov cca č.p st ml"
    ),
    short="atd apod aj př.n.l n.l př.kr hod tis mil mld min sek km kg kč tel s.r.o a.s r stol",
    numbered="č str s čl odst kap obr tab sv",
    ordinals=True,
    requests="napiš mi ukaž kód tabulku",
)
SLOVAK = Language(
    "sk",
    starts=(
        "ja ty on ona ono my vy oni to ten tá tí tento táto tam tu kto čo kedy kde kam prečo ako aký aká či "
        "ak keď ale a aj alebo pretože preto potom teraz dnes zajtra včera po pred cez v vo na s so z zo u "
        "k do od pre bez pri za nad pod o nie áno jeho jej ich môj moja náš váš všetci všetko každý mnoho "
        "niektorí bol bola bolo boli je sú má môže tiež ešte už len však hoci prosím"
    ),
    common="že ktorý ktorá ktoré byť veľmi som nie ô ä",
    letters="ľ ĺ ŕ",
    leading=(
        "napr t.j tj tzn tzv resp príp p dr mudr judr phdr rndr ing mgr bc prof doc csc ul nám tr sv gen "
        "plk kpt mjr pozri porov cca st ml"
    ),
    short=(
        "atď a.i pr.n.l n.l pred.kr hod tis mil mld min sek km kg jan feb mar apr aug sep okt nov dec "
        "tel s.r.o a.s r stor"
    ),
    numbered="č str s čl ods kap obr tab zv",
    ordinals=True,
)
SLOVENIAN = Language(
    "sl",
    starts=(
        "jaz ti on ona ono mi vi oni to ta ti te tisti tam tu tukaj kdo kaj kdaj kje kam zakaj kako kakšen "
        "če ko ampak in ali ker zato potem nato zdaj danes jutri včeraj po pred skozi v na s z iz u k do od "
        "za brez pri nad pod o ne da njegov njen njihov moj naš vaš vsi vse vsak veliko nekateri bil bila "
        "bilo bili je so ima lahko tudi še že samo vendar čeprav prosim"
    ),
    common="da ki biti zelo sem ni se pa bi",
    leading="npr tj t.i t.j oz g gdč dr prof mag doc inž ul trg sv gen polk prim gl ca",
    short=(
        "itd ipd idr l st pr.n.št n.št tis mio mrd min sek km kg jan feb mar apr jun jul avg sep sept okt "
        "nov dec tel d.o.o d.d"
    ),
    numbered="št str čl odst pogl sl",
    ordinals=True,
)
CROATIAN = Language(
    "hr",
    starts=(
        "ja ti on ona ono mi vi oni to taj ta te ovaj ova ovo tamo tu ovdje tko što kada gdje kamo zašto "
        "kako kakav ako kad ali i a ili jer zato poslije potom zatim sada danas sutra jučer prije kroz u na "
        "s sa iz k do od za bez pri nad pod o ne da njegov njezin njihov moj naš vaš svi sve svaki mnogo "
        "neki bio bila bilo bili je su ima može također još već samo međutim iako molim"
    ),
    common="da koji koja koje biti vrlo sam nije se će bi",
    letters="đ ć",
    leading="npr tj tzv odn g gđa gđica dr prof mr mag doc inž ul trg sv gen puk usp",
    short=("itd i.sl sl god st pr.kr p.n.e n.e tis mil mlrd min sek km kg kn sij velj ožu tel d.o.o d.d"),
    numbered="br str čl st pogl sl",
    ordinals=True,
)
ALL = (RUSSIAN, UKRAINIAN, BULGARIAN, POLISH, CZECH, SLOVAK, SLOVENIAN, CROATIAN)
