"""English, German, Dutch, Afrikaans, Danish, Norwegian, Nynorsk and Swedish."""

from __future__ import annotations

from realtime.core.languages.table import Language

ENGLISH = Language(
    "en",
    starts=(
        "the a an this that these those there here i he she it we you they my his her its our your their "
        "who what when where which why how if but and so then now after before because since while although "
        "though however therefore meanwhile in on at for from with as by to no yes not all some many most "
        "each every both another one do does did is are was were can could would should have has had let "
        "please also only once even still thus instead otherwise perhaps maybe just never always sometimes "
        "today tomorrow yesterday later finally first next nobody everyone everybody someone something "
        "nothing add mix put take use try make go keep call see note remember stir turn come get give tell "
        "say ask don't didn't isn't it's i'm i've i'll he's she's we're we'll you're you'll they're that's "
        "there's here's what's let's"
    ),
    common=(
        "of or be been am will than into about over out up down more very me him us them may might must two "
        "three"
    ),
    leading=(
        "dr mr mrs ms mx messrs mmes prof gen col capt cpt cmdr lt sgt cpl pvt adm maj brig rev revd hon "
        "gov sen rep pres amb supt insp fr vs cf e.g eg i.e viz mt www attn"
    ),
    short=(
        "etc approx appt dept est inc ltd co corp bros jr sr fig figs eq vol vols ch sec secs pp ave blvd "
        "rd hwy ln apt bldg ste st ft fl oz lb lbs hr hrs mi yd gal pt qt tsp tbsp mph min mins yr yrs wk wks "
        "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri Sat Sun al ed "
        "eds a.m p.m ph.d esq assoc intl govt univ ca tel ext b.c a.d b.c.e c.e"
    ),
    numbered="no nos op opp p art para ext",
    requests="show write hi hello please",
)
GERMAN = Language(
    "de",
    starts=(
        "der die das den dem ein eine einen einem dieser diese dieses ich du er sie es wir ihr man wer was "
        "wann wo wie warum welche welcher wenn aber und oder doch denn dann danach jetzt nun heute morgen "
        "gestern dort hier da so auch nur noch nach vor bei mit ohne für im in am an auf aus seit trotzdem "
        "deshalb daher allerdings außerdem später zuerst schließlich vielleicht leider bitte ja nein nicht "
        "kein keine alle viele manche jeder mein meine sein seine unser unsere ihre ist sind war hat haben "
        "kann können soll will als weil obwohl während"
    ),
    common=(
        "des zum zur vom von zu bis ab sich ist wird wurde werden nicht über unter durch oktober januar "
        "februar märz juni juli dezember uhr jahr jahrhundert euro"
    ),
    letters="ä ö ü ß",
    leading=(
        "dr prof hr hrn fr frl fam dipl ing z.b zb d.h dh bzw sog vgl bspw insb insbes i.d.r ggf evtl inkl "
        "exkl ca st str.nr u.u m.e o.g u.a s.o hl zzgl abzgl dipl.-kfm geb verh betr bes s.u gem lt i.a dr.phil "
        "dr.med dr.jur dr.-ing dipl.-ing dr.rer rer nat"
    ),
    short=(
        "usw etc u.s.w u.v.m uvm u.ä o.ä mio mrd tsd std min sek jh jhd jhdt v.chr n.chr chr str pl tel jan "
        "feb apr jun jul aug sep sept okt nov dez Mo Di Mi Do Fr Sa So stk e.v km/h mm gest ff i.r a.d a.m "
        "jr sen"
    ),
    numbered="nr nrn art abs abb tab kap bd s seite ziff par max op",
    ordinals=True,
    requests="zeig mir kannst schreib hallo bitte",
)
DUTCH = Language(
    "nl",
    starts=(
        "de het een dit dat deze die ik jij je u hij zij ze wij we jullie er hier daar nu dan daarna toen "
        "maar en of want dus als wanneer waarom wie wat waar hoe welke in op bij met na voor van vandaag "
        "morgen gisteren ook nog niet geen alle veel later eerst daarom misschien helaas ja nee mijn zijn "
        "onze hun is zijn was heeft kan"
    ),
    common="te aan uit over naar tot om door is zijn wordt worden niet heeft zich ook wel",
    leading=(
        "dhr mevr mw mej drs ir mr dr prof ing bijv bv d.w.z dwz m.b.v m.a.w m.b.t o.a t.a.v t.o.v i.p.v "
        "t/m z.g zgn evt ca incl excl i.v.m n.a.v jhr jkvr ds resp vgl st"
    ),
    short=(
        "enz etc e.d d.m.v mln mld jan feb mrt apr jun jul aug sep sept okt nov dec tel str blz v.chr n.chr "
        "a.u.b s.v.p aub svp gld min sec"
    ),
    numbered="nr nrs art blz p hfst fig",
    requests="laat me zien kun schrijf alsjeblieft",
)
AFRIKAANS = Language(
    "af",
    starts=(
        "die 'n dit hierdie daardie ek jy hy sy ons julle hulle u maar en want dus as wanneer hoekom wie "
        "wat waar hoe daar hier nou dan toe in op by met na vir van vandag môre gister ook nog nie geen "
        "alle baie later eers miskien ja nee"
    ),
    common="nie het is was sal kan om te aan uit oor tot deur word wees se my sy haar",
    leading="mnr mev mej me dr prof ds adv bv d.w.s m.a.w o.a t.o.v i.p.v genl kol kapt sers ca asb sg",
    short="ens e.d.m nm vm jan feb mrt apr jun jul aug sept okt nov des tel str n.c v.c bl",
    numbered="nr no bl art",
)
DANISH = Language(
    "da",
    starts=(
        "det den de en et denne dette disse jeg du han hun vi i man der her nu så da men og eller for når "
        "hvis hvorfor hvem hvad hvor hvordan hvilken på ved med efter før fra til om også kun ikke ingen "
        "alle mange senere først derfor måske desværre ja nej min mit vores deres er var har kan skal vil"
    ),
    common="af at som ikke blev bliver havde sig mig dig nogle oktober januar maj",
    letters="æ ø å",
    leading=(
        "hr fr frk dr prof bl.a f.eks fx d.v.s dvs ca evt inkl ekskl nr kl jf ang mht m.h.t pga p.g.a skt "
        "cand stud adv sml vedr i.e"
    ),
    short=(
        "osv o.s.v m.m m.v mv mio mia kr jan feb mar apr jun jul aug sep sept okt nov dec tlf str pct f.kr "
        "e.kr mm o.l og.lign stk sek maks gl"
    ),
    numbered="nr s kap fig stk art",
    ordinals=True,
    requests="vis skriv tabel",
)
NORWEGIAN = Language(
    "nb",
    starts=(
        "det den de en et denne dette disse jeg du han hun vi man der her nå så da men og eller for når "
        "hvis hvorfor hvem hva hvor hvordan hvilken på ved med etter før fra til om også bare ikke ingen "
        "alle mange senere først derfor kanskje dessverre ja nei min mitt vår deres er var har kan skal vil "
        "i"
    ),
    common="av at som ikke ble blir hadde seg meg deg noen oktober januar mai",
    letters="æ ø å",
    leading="hr fr frk dr prof bl.a f.eks d.v.s dvs ca evt inkl ekskl nr kl jf ang mht pga st kapt adv",
    short=(
        "osv o.s.v m.m m.fl mill mrd kr jan feb mar apr jun jul aug sep sept okt nov des tlf pst f.kr e.kr "
        "o.l stk sek"
    ),
    numbered="nr s kap fig art",
    ordinals=True,
    requests="vis skriv tabell",
)
NYNORSK = Language(
    "nn",
    starts=(
        "det den dei ein eit ei denne dette desse eg du han ho vi me ein der her no så då men og eller for "
        "når dersom kvifor kven kva kor korleis kva på ved med etter før frå til om også berre ikkje ingen "
        "alle mange seinare først difor kanskje ja nei min mitt vår er var har kan skal vil i"
    ),
    common="av at som ikkje vart blir hadde seg meg deg nokon oktober januar mai",
    letters="æ ø å",
    leading="hr fr frk dr prof m.a bl.a t.d d.v.s dvs ca evt nr kl jf ang st",
    short=("osv o.s.v m.m m.fl mill mrd kr jan feb mar apr jun jul aug sep sept okt nov des tlf f.kr e.kr"),
    numbered="nr s kap fig art",
    ordinals=True,
)
SWEDISH = Language(
    "sv",
    starts=(
        "det den de en ett denna detta dessa jag du han hon vi ni man där här nu så då men och eller för "
        "när om varför vem vad var hur vilken på vid med efter före från till också bara inte ingen alla "
        "många senare först därför kanske tyvärr ja nej min mitt vår deras är var har kan ska vill i"
    ),
    common="av att som inte blev blir hade sig mig dig några",
    letters="å ä ö",
    leading=(
        "hr fr frk dr prof bl.a t.ex tex d.v.s dvs ca ev inkl exkl nr kl jfr ang p.g.a pga s.k sk f.d st "
        "kapt adv t.o.m fr.o.m m.a.o"
    ),
    short=(
        "osv o.s.v m.m mm m.fl etc milj mkr mdr kr jan feb apr jun jul aug sep sept okt nov dec tel f.kr "
        "e.kr o.d st sek"
    ),
    numbered="nr s kap fig art sid",
    requests="visa skriv tabell",
)
ALL = (ENGLISH, GERMAN, DUTCH, AFRIKAANS, DANISH, NORWEGIAN, NYNORSK, SWEDISH)
