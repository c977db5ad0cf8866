"""The system voices of the platform, as data: docs/minimax/voices.md 6.

Case and spaces count in ids: `Santa_Claus ` ends with a space, two Cantonese ids have one full-width bracket.
"""

from __future__ import annotations

_MANDARIN_NAMES = {
    "male-qn-qingse": "青涩青年", "male-qn-jingying": "精英青年", "male-qn-badao": "霸道青年",
    "male-qn-daxuesheng": "青年大学生", "female-shaonv": "少女", "female-yujie": "御姐", "female-chengshu": "成熟女性",
    "female-tianmei": "甜美女性", "clever_boy": "聪明男童", "cute_boy": "可爱男童", "lovely_girl": "萌萌女童",
    "cartoon_pig": "卡通猪小琪", "bingjiao_didi": "病娇弟弟", "junlang_nanyou": "俊朗男友",
    "chunzhen_xuedi": "纯真学弟",
    "lengdan_xiongzhang": "冷淡学长", "badao_shaoye": "霸道少爷", "tianxin_xiaoling": "甜心小玲",
    "qiaopi_mengmei": "俏皮萌妹", "wumei_yujie": "妩媚御姐", "diadia_xuemei": "嗲嗲学妹", "danya_xuejie": "淡雅学姐",
    "Arrogant_Miss": "嚣张小姐", "Robot_Armor": "机械战甲", "Chinese (Mandarin)_Reliable_Executive": "沉稳高管",
}  # fmt: skip
_BETA = tuple(f"{voice}-jingpin" for voice in list(_MANDARIN_NAMES)[:8])

_PREFIXED = {
    "Chinese (Mandarin)_": """Reliable_Executive News_Anchor Mature_Woman Unrestrained_Young_Man Kind-hearted_Antie
        HK_Flight_Attendant Humorous_Elder Gentleman Warm_Bestie Male_Announcer Sweet_Lady Southern_Young_Man Wise_Women
        Gentle_Youth Warm_Girl Kind-hearted_Elder Cute_Spirit Radio_Host Lyrical_Voice Straightforward_Boy Sincere_Adult
        Gentle_Senior Stubborn_Friend Crisp_Girl Pure-hearted_Boy Soft_Girl""",
    "Cantonese_": """ProfessionalHost（F) GentleLady ProfessionalHost（M) PlayfulMan CuteGirl KindWoman podacast_host_1
        crisp_news_anchor_vv2""",
    "English_": """Trustworthy_Man Graceful_Lady Aussie_Bloke Whispering_girl Diligent_Man Gentle-voiced_man
        expressive_narrator radiant_girl Insightful_Speaker Persuasive_Man Explanatory_Man Lucky_Robot
        CaptivatingStoryteller captivating_female1 magnetic_voiced_man StressedLady SentimentalLady WiseScholar""",
    "": """Grinch Rudolph Arnold Charming_Santa Charming_Lady Sweet_Girl Cute_Elf Attractive_Girl Serene_Woman
        socialmedia_female_1_v1 socialmedia_female_2_v1 voice_agent_Female_Phone_4 voice_agent_Male_Phone_1
        voice_agent_Male_Phone_2 Wise_Woman Friendly_Person Inspirational_girl Deep_Voice_Man Calm_Woman Casual_Guy
        Lively_Girl Patient_Man Young_Knight Determined_Man Lovely_Girl Decent_Boy Imposing_Manner Elegant_Man Abbess
        Sweet_Girl_2 Exuberant_Girl moss_audio_ce44fc67-7ce3-11f0-8de5-96e35d26fb85
        moss_audio_aaa1346a-7ce7-11f0-8e61-2e6e3c7ee85d moss_audio_6dc281eb-713c-11f0-a447-9613c873494c
        moss_audio_570551b1-735c-11f0-b236-0adeeecad052 moss_audio_ad5baf92-735f-11f0-8263-fe5a2fe98ec8
        moss_audio_24875c4a-7be4-11f0-9359-4e72c55db738 moss_audio_7f4ee608-78ea-11f0-bb73-1e2a4cfcd245
        moss_audio_c1a6a3ac-7be6-11f0-8e8e-36b92fbb4f95 audiobook_male_1 audiobook_male_2 audiobook_female_1
        audiobook_female_2 presenter_male presenter_female
        Arabic_CalmWoman Arabic_FriendlyGuy Turkish_CalmWoman Turkish_Trustworthyman
        Ukrainian_CalmWoman Ukrainian_WiseScholar Dutch_kindhearted_girl Dutch_bossy_leader Vietnamese_kindhearted_girl
        Thai_male_1_sample8 Thai_male_2_sample2 Thai_female_1_sample1 Thai_female_2_sample2 Polish_male_1_sample4
        Polish_male_2_sample3 Polish_female_1_sample1 Polish_female_2_sample3 Romanian_male_1_sample2
        Romanian_male_2_sample1 Romanian_female_1_sample4 Romanian_female_2_sample1 greek_male_1a_v1
        Greek_female_1_sample1 Greek_female_2_sample3 czech_male_1_v1 czech_female_5_v7 czech_female_2_v2
        finnish_male_3_v1 finnish_male_1_v2 finnish_female_4_v1 hindi_male_1_v2 hindi_female_2_v1 hindi_female_1_v2""",
    "Japanese_": """IntellectualSenior DecisivePrincess LoyalKnight DominantMan SeriousCommander ColdQueen
        DependableWoman
        GentleButler KindLady CalmLady OptimisticYouth GenerousIzakayaOwner SportyStudent InnocentBoy GracefulMaiden
        Whisper_Belle""",
    "Korean_": """SweetGirl CheerfulBoyfriend EnchantingSister ShyGirl ReliableSister StrictBoss SassyGirl
        ChildhoodFriendGirl PlayboyCharmer ElegantPrincess BraveFemaleWarrior BraveYouth CalmLady EnthusiasticTeen
        SoothingLady IntellectualSenior LonelyWarrior MatureLady InnocentBoy CharmingSister AthleticStudent
        BraveAdventurer CalmGentleman WiseElf CheerfulCoolJunior DecisiveQueen ColdYoungMan MysteriousGirl QuirkyGirl
        ConsiderateSenior CheerfulLittleSister DominantMan AirheadedGirl ReliableYouth FriendlyBigSister GentleBoss
        ColdGirl HaughtyLady CharmingElderSister IntellectualMan CaringWoman WiseTeacher ConfidentBoss AthleticGirl
        PossessiveMan GentleWoman CockyGuy ThoughtfulWoman OptimisticYouth""",
    "Spanish_": """SereneWoman MaturePartner CaptivatingStoryteller Narrator WiseScholar Kind-heartedGirl
        DeterminedManager BossyLeader ReservedYoungMan ConfidentWoman ThoughtfulMan Strong-WilledBoy SophisticatedLady
        RationalMan AnimeCharacter Deep-tonedMan Fussyhostess SincereTeen FrankLady Comedian Debator ToughBoss Wiselady
        Steadymentor Jovialman SantaClaus Rudolph Intonategirl Arnold Ghost HumorousElder EnergeticBoy WhimsicalGirl
        StrictBoss ReliableMan SereneElder AngryMan AssertiveQueen CaringGirlfriend PowerfulSoldier PassionateWarrior
        ChattyGirl RomanticHusband CompellingGirl PowerfulVeteran SensibleManager ThoughtfulLady""",
    "Portuguese_": """SentimentalLady BossyLeader Wiselady Strong-WilledBoy Deep-VoicedGentleman UpsetGirl
        PassionateWarrior AnimeCharacter ConfidentWoman AngryMan CaptivatingStoryteller Godfather ReservedYoungMan
        SmartYoungGirl Kind-heartedGirl Pompouslady Grinch Debator SweetGirl AttractiveGirl ThoughtfulMan PlayfulGirl
        GorgeousLady LovelyLady SereneWoman SadTeen MaturePartner Comedian NaughtySchoolgirl Narrator ToughBoss
        Fussyhostess Dramatist Steadymentor Jovialman CharmingQueen SantaClaus Rudolph Arnold CharmingSanta CharmingLady
        Ghost HumorousElder CalmLeader GentleTeacher EnergeticBoy ReliableMan SereneElder GrimReaper AssertiveQueen
        WhimsicalGirl StressedLady FriendlyNeighbor CaringGirlfriend PowerfulSoldier FascinatingBoy RomanticHusband
        StrictBoss InspiringLady PlayfulSpirit ElegantGirl CompellingGirl PowerfulVeteran SensibleManager ThoughtfulLady
        TheatricalActor FragileBoy ChattyGirl Conscientiousinstructor RationalMan WiseScholar FrankLady
        DeterminedManager""",
    "French_": "Male_Speech_New CasualMan MovieLeadFemale FemaleAnchor MaleNarrator",
    "Indonesian_": """SweetGirl ReservedYoungMan CharmingGirl CalmWoman ConfidentWoman CaringMan BossyLeader
        DeterminedBoy
        GentleGirl""",
    "German_": "FriendlyMan SweetLady PlayfulMan",
    "Russian_": """HandsomeChildhoodFriend BrightHeroine AmbitiousWoman ReliableMan CrazyQueen PessimisticGirl
        AttractiveGuy Bad-temperedBoy""",
    "Italian_": "BraveHeroine Narrator WanderingSorcerer DiligentLeader",
}  # fmt: skip
_WITH_SPACES = ("Santa_Claus ", "French_Female_News Anchor")


def _table() -> dict[str, str]:
    ids = list(_MANDARIN_NAMES) + list(_BETA)
    for prefix, names in _PREFIXED.items():
        ids += [prefix + name for name in names.split()]
    return {voice: _MANDARIN_NAMES.get(voice) or _name(voice) for voice in [*ids, *_WITH_SPACES]}


def _name(voice: str) -> str:
    plain = voice.removesuffix("-jingpin")
    if plain in _MANDARIN_NAMES:
        return f"{_MANDARIN_NAMES[plain]}-beta"
    return voice.removeprefix("Chinese (Mandarin)_").replace("_", " ").strip()


SYSTEM_VOICES: dict[str, str] = _table()  # id -> name
