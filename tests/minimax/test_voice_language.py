"""What ids of system voices tell: each group of the documented list, and ids that tell nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from realtime.minimax.voice_language import voice_gender, voice_language

PAGE = Path(__file__).parents[2] / "docs/minimax/voices.md"


@pytest.mark.parametrize(
    ("voice_id", "language", "gender"),
    [
        ("male-qn-qingse", "zh", "male"),
        ("female-yujie-jingpin", "zh", "female"),
        ("bingjiao_didi", "zh", "male"),
        ("Arrogant_Miss", "zh", "female"),
        ("Chinese (Mandarin)_Gentleman", "zh", "male"),
        ("Chinese (Mandarin)_Kind-hearted_Antie", "zh", "female"),
        ("Chinese (Mandarin)_Gentle_Youth", "zh", None),
        ("Cantonese_ProfessionalHost（F)", "yue", "female"),
        ("Cantonese_ProfessionalHost（M)", "yue", "male"),
        ("Santa_Claus ", "en", "male"),
        ("Wise_Woman", "en", "female"),
        ("lovely_girl", "zh", "female"),
        ("Lovely_Girl", "en", "female"),
        ("English_Trustworthy_Man", "en", "male"),
        ("English_captivating_female1", "en", "female"),
        ("voice_agent_Male_Phone_1", "en", "male"),
        ("moss_audio_aaa1346a-7ce7-11f0-8e61-2e6e3c7ee85d", "zh", None),
        ("moss_audio_24875c4a-7be4-11f0-9359-4e72c55db738", "ja", None),
        ("Korean_CheerfulBoyfriend", "ko", "male"),
        ("Spanish_CaringGirlfriend", "es", "female"),
        ("German_FriendlyMan", "de", "male"),
        ("German_Unknown", "de", None),
        ("French_Female_News Anchor", "fr", "female"),
        ("greek_male_1a_v1", "el", "male"),
        ("Portuguese_Jovialman", "pt", "male"),
        ("audiobook_male_1", None, "male"),
        ("NarratorVoice1", None, None),
        ("voice_of_mine", None, None),
        ("moss_audio_", None, None),
        ("", None, None),
    ],
)
def test_ids(voice_id, language, gender):
    assert (voice_language(voice_id), voice_gender(voice_id)) == (language, gender)


def test_every_prefixed_group_of_the_page_has_a_language():
    groups = re.findall(r"prefix `(\w+_)`|\*\* `(\w+_)`", PAGE.read_text())
    prefixes = {one or other for one, other in groups}
    assert len(prefixes) >= 8
    assert {prefix for prefix in prefixes if voice_language(f"{prefix}Narrator") is None} == set()
