"""Spanish, French, Portuguese, Italian, Romanian and Catalan."""

from __future__ import annotations

from realtime.core.languages.table import Language

SPANISH = Language(
    "es",
    starts=(
        "el la los las un una unos unas este esta estos estas ese esa eso esto aquel yo tú él ella ellos "
        "ellas nosotros usted ustedes lo le les se me nos mi su sus nuestro hay aquí allí ahora luego "
        "después entonces pero y o porque pues así si cuando donde quién qué cómo cuál cuándo dónde por "
        "para con sin en de a al del desde hasta también tampoco no sí ya hoy mañana ayer además aunque "
        "mientras quizás todos todas cada muchos algunos es son fue era tiene puede vamos"
    ),
    common="que más muy como sobre entre ser estar está están ha han del",
    letters="ñ ¿ ¡",
    leading=(
        "sr sra srta sres sras srtas dr dra d dña da prof profa ing lic arq fr sto sta excmo excma ilmo "
        "ilma rvdo gral cnel cap tte p.ej p.e ee.uu.aa vs cf aprox ud uds vd vds av avda pza ctra ntra mons "
        "st dpto depto mtro mtra EE RR CC AA FF JJ SS"
    ),
    short=(
        "etc ee.uu aa.vv a.c d.c a.m p.m a.de.c d.de.c ej cía cia s.a s.l hnos jr km kg cm m h ene feb abr "
        "may jun jul ago sep sept oct nov dic lun mié jue vie sáb tel hab pdta ss.aa rr.hh cc.oo jj.oo "
        "ff.aa pts ptas"
    ),
    numbered="núm núms nº pág págs art arts cap fig vol p pp tomo no apdo n",
    requests="hola muéstrame puedes favor escribe dame",
)
FRENCH = Language(
    "fr",
    starts=(
        "le la les un une des ce cet cette ces je j tu il elle on nous vous ils elles mon ma mes son sa ses "
        "notre nos leur leurs c qui que quoi quand où comment pourquoi quel quelle si mais et ou donc or "
        "car puis ensuite alors maintenant après avant pendant depuis dans en à au aux de du pour par avec "
        "sans sur sous chez ici là voici voilà aussi ainsi cependant pourtant toutefois enfin aujourd "
        "demain hier peut oui non ne pas tous toutes chaque plusieurs est était sont l d n s y tout rien"
    ),
    common="est et dans pas plus ne se être avoir sont sur très",
    letters="ç œ",
    leading=(
        "M MM mme mmes mlle mlles dr me mgr pr prof cf c.-à-d c-à-d càd p.ex ex vs env st ste av bd boul "
        "sgt cpt col gén adj n.b"
    ),
    short=(
        "etc av.j.-c apr.j.-c j.-c j.c s.a s.a.r.l janv févr fév avr juil sept oct nov déc lun tél hab min "
        "h km kg éd apr s.v.p svp r.-v"
    ),
    numbered="art chap fig vol p pp n no nos nº n° al §",
    requests="bonjour montre moi peux écris s'il plaît",
)
PORTUGUESE = Language(
    "pt",
    starts=(
        "o a os as um uma uns umas este esta isto esse essa isso aquele aquela eu tu ele ela nós vós eles "
        "elas você vocês meu minha seu sua nosso há aqui ali lá agora depois então mas e ou porque pois "
        "assim se quando onde quem que como qual por para com sem em no na nos nas de do da dos das desde "
        "até também não sim já hoje amanhã ontem além embora enquanto talvez todos todas cada muitos alguns "
        "é são foi era tem pode vamos"
    ),
    common="ao à pelo pela mais muito como sobre entre ser estar está estão",
    letters="ã õ",
    leading=(
        "sr sra srta srs sras dr dra drs profª prof profa eng engª arq exmo exma ilmo ilma D dom fr pe sto "
        "sta st v.exa v.ex gen cel cap ten sgt p.ex ex vs cf aprox av R trav lg n.sra vª"
    ),
    short=(
        "etc s.a ltda cia a.c d.c a.m p.m jan fev abr mai jun jul ago set out nov dez tel hab min km kg jr "
        "obs p.s s.f.f"
    ),
    numbered="núm nº n.º pág págs art arts cap fig vol p pp n",
    requests="mostra mostre me favor escreve escreva",
)
ITALIAN = Language(
    "it",
    starts=(
        "il lo la i gli le un uno una questo questa questi queste quello quella io tu lui lei noi voi loro "
        "mio mia suo sua nostro c è ci si non no sì ma e ed o oppure perché quindi così se quando dove chi "
        "che cosa come quale per con senza in nel nella a al alla di del della da dal su sul dopo poi prima "
        "ora adesso allora oggi domani ieri anche inoltre però tuttavia forse tutti tutte ogni molti alcuni "
        "sono era ha può dei delle degli fra tra l d un"
    ),
    common="più molto come sono essere avere stato che gli della nel anche",
    letters="ò ì",
    leading=(
        "sig sigg sig.ra sig.na sig.re sigra sigra dott dott.ssa dottssa dr prof prof.ssa avv ing arch geom "
        "rag on sen mons cav comm gen col cap ten p.es ad.es es cfr vs s ss egr gent spett p.zza v.le c.so "
        "mr mrs"
    ),
    short=(
        "ecc etc a.c d.c s.p.a s.r.l s.n.c gen feb apr mag lug ago set sett ott nov dic tel ab min sec km "
        "kg ca u.s p.s n.d.r mln mld"
    ),
    numbered="n nn nr num pag pagg art artt cap fig vol p pp",
    requests="ciao mostrami puoi favore scrivi dammi",
)
ROMANIAN = Language(
    "ro",
    starts=(
        "acest această acești aceste acel acea eu tu el ea noi voi ei ele un o unii unele meu mea său sa "
        "nostru dar și sau ori pentru că deci astfel dacă când unde cine ce cum care de la în pe cu fără "
        "din după apoi înainte acum atunci azi mâine ieri aici acolo tot toți fiecare mulți este sunt era "
        "are poate nu da însă totuși deși poate"
    ),
    common="la de din pe care mai să nu este sunt lui ale ai",
    letters="ă ș ț",
    leading=(
        "dl dna dnei dnii d-na d-l dlui dra d-ra dr prof ing av ec sf gen col cpt lt pr st bd bul bdul str "
        "șos de.ex vs cf aprox jud ex"
    ),
    short=(
        "etc ș.a ș.a.m.d ș.cl î.hr d.hr î.e.n e.n a.m p.m ian feb apr iun iul aug sep sept oct dec tel min "
        "sec km kg mld s.a s.r.l"
    ),
    numbered="nr pag art alin cap fig vol p pp lit bl sc et ap",
    requests="arată mi scrie te rog",
)
CATALAN = Language(
    "ca",
    starts=(
        "el la els les un una uns unes aquest aquesta aquests aquestes això jo tu ell ella nosaltres "
        "vosaltres ells elles vostè el meu seva però i o perquè doncs així si quan on qui què com quin per "
        "amb sense en a al del des fins també no sí ja avui demà ahir després llavors ara aquí allà hi ha "
        "és són era té pot tots totes cada molts alguns encara"
    ),
    common="que més molt com amb dels als pel està ser",
    letters="ç",
    leading=(
        "sr sra srta dr dra prof excm excma il·lm st sta p.ex cf av avda ctra pl pg c mn mons eng arq aprox "
        "vs"
    ),
    short="etc ee.uu s.a s.l a.c d.c gen febr març abr jul ag oct nov tel hab min km kg",
    numbered="núm pàg pàgs art cap fig vol p pp n",
)
ALL = (SPANISH, FRENCH, PORTUGUESE, ITALIAN, ROMANIAN, CATALAN)
