"""Texts that nobody said: too long for their sound, echoes of a prompt, and what models write for silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.invented import echoes, is_invented, keywords_and_prompt, of_a_video
from realtime.core.syllables import least_syllables
from realtime.core.video_phrases import PROMPTS
from tests.each import each

VIDEOS = """Thank you for watching!
Thanks for watching.
Thank you so much for watching this video and see you next time.
Please subscribe to my channel.
See you in the next video!
Subtitles by the Amara.org community
Transcription by CastingWords
请不吝点赞 订阅 转发 打赏支持明镜与点点栏目
請不吝點贊 訂閱 轉發 打賞支持明鏡與點點欄目
字幕由Amara.org社区提供
字幕製作人
作词 作曲 作曲
谢谢大家收看
我们下期再见
ご視聴ありがとうございました
ご視聴ありがとうございました。ご視聴ありがとうございました。
시청해주셔서 감사합니다.
MBC 뉴스 김재경입니다.
Untertitel der Amara.org-Community
Untertitel im Auftrag des ZDF für funk, 2017
Vielen Dank fürs Zuschauen!
Sous-titres réalisés par la communauté d'Amara.org
Merci d'avoir regardé cette vidéo !
¡Gracias por ver el video!
Subtítulos realizados por la comunidad de Amara.org
Legendas pela comunidade Amara.org
Obrigado por assistir!
Sottotitoli e revisione a cura di QTSS
Grazie per la visione!
Ondertiteling door de gemeenschap
Bedankt voor het kijken!
Napisy stworzone przez społeczność
Dziękuję za uwagę.
Titulky vytvořil JohnyX
Субтитры сделал DimaTorzok
Спасибо за просмотр!
Продолжение следует...
Дякую за перегляд!
Благодаря за гледането!
Mulțumim pentru vizionare!
Köszönöm, hogy megnézted!
İzlediğiniz için teşekkür ederim.
Ευχαριστώ που παρακολουθήσατε
Tack för att ni tittade!
Kiitos kun katsoit!
اشتركوا في القناة
תודה שצפיתם
देखने के लिए धन्यवाद
Terima kasih telah menonton!
Cảm ơn các bạn đã theo dõi và hẹn gặp lại.
ขอบคุณที่รับชมครับ""".splitlines()
REAL = """Thank you.
Thank you very much.
Thank you for watching my dog while I was away.
What does thank you for watching mean in French?
How do I subscribe to a newspaper?
Can you turn the subtitles on?
Captions by default, please.
谢谢
词曲作者是谁
字幕怎么打开
ありがとうございました
구독 취소해 줘
Danke schön
Untertitel von Netflix gehen nicht.
Sous-titres français, s'il vous plaît.
Subtítulos por favor
Legendas da Netflix não aparecem.
Sottotitoli di Netflix non funzionano.
Спасибо
Что такое субтитры?""".splitlines()


@each(VIDEOS)
def test_the_phrases_of_videos_are_invented_unless_the_model_is_sure(text):
    assert of_a_video(text)
    assert is_invented(text, 4.0)
    assert is_invented(text, 4.0, log_probability=-0.9)
    assert not is_invented(text, 20.0, log_probability=-0.2), "somebody reads it aloud"


@pytest.mark.parametrize("text", REAL)
def test_what_people_say_is_kept(text):
    assert not of_a_video(text)
    assert not is_invented(text, max(0.3, least_syllables(text) / 6))


@pytest.mark.parametrize(
    ("text", "syllables"),
    [
        ("Stop!", 1), ("Thank you", 2), ("I'm not going to be able to do that.", 9), ("以下是普通话的句子。", 9),
        ("きょうはいいてんき", 8), ("ちょっと", 2), ("안녕하세요", 5), ("Übung", 2), ("Здравствуйте", 3), ("42", 1),
        ("1999", 2), ("...", 0), ("pst", 1),
    ],
)  # fmt: skip
def test_syllables_are_counted_in_every_script(text, syllables):
    assert least_syllables(text) == syllables


@pytest.mark.parametrize(
    ("text", "sounding_s"),
    [
        ("I'm not going to be able to do that.", 0.4), ("I'm not sure what I'm gonna do about it.", 0.5),
        ("今天天气怎么样我们去公园好不好", 0.6), ("ありがとうございました、またあした", 0.5), ("Donaudampfschifffahrtsgesellschaft", 0.2),
        ("감사합니다 다음에 또 만나요 안녕", 0.4), ("Я не знаю, что с этим теперь делать.", 0.4),
        ("No sé qué vamos a hacer ahora mismo", 0.4), ("e" + " la la" * 8, 0.7), ("诶诶诶诶诶诶诶诶诶诶诶诶", 0.5),
    ],
)  # fmt: skip
def test_more_than_anybody_can_say_was_not_said(text, sounding_s):
    assert is_invented(text, sounding_s)
    assert not is_invented(text, 3.0)


@pytest.mark.parametrize("sounding_s", [0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize(
    "text",
    [
        "以下是普通话的句子。", "以下是普通話的句子", "以下是普通话的句子。以下是普通话", "这次是普通话的句子。", "这是普通话的句子!",
        "以下 是 普通话 的 句子", "是普通話的句子…", "「以下是普通话的句子」，句子。",
    ],
)  # fmt: skip
def test_the_usual_prompt_in_a_short_sound_is_an_echo(text, sounding_s):
    assert is_invented(text, sounding_s)


def test_whoever_says_the_words_of_the_prompt_is_heard():
    for prompt in PROMPTS:
        assert not is_invented(prompt, least_syllables(prompt) / 5)
    assert not is_invented("普通话", 0.5)
    assert not is_invented("Kubernetes.", 0.6, primed=("Kubernetes, Terraform, MiniMax",))


words = st.lists(
    st.sampled_from("Kubernetes Terraform MiniMax Grüße Jürgen 북촌 東京 Привет naïve".split()), min_size=3
)


@given(words, st.data())
def test_any_part_of_any_prompt_is_an_echo_in_any_order_and_number(primed, data):
    prompt = ", ".join(primed)
    part = data.draw(st.lists(st.sampled_from(primed), min_size=1))
    text = " ".join(part).upper() + "!"
    assert echoes(text, prompt)
    assert is_invented(text, 0.01, primed=(prompt,)) is (least_syllables(text) > 1.065)
    assert not is_invented(text, least_syllables(text) / 5, primed=(prompt,))


def test_a_doubtful_echo_is_dropped_at_any_length():
    prompt = "A talk about Kubernetes and Terraform."
    assert is_invented("Kubernetes and Terraform.", 3.0, primed=(prompt,), log_probability=-2.0)
    assert not is_invented("Kubernetes and Terraform.", 3.0, primed=(prompt,), log_probability=-1.2)
    assert not is_invented("What is the weather?", 3.0, primed=(prompt,), log_probability=-2.0)


def test_a_client_primes_with_a_prompt_and_keywords():
    assert keywords_and_prompt("Names:", ("Ann", "Bo")) == ("Names:", "Ann Bo")
    assert keywords_and_prompt(None, None) == keywords_and_prompt("", ()) == ()


@given(st.text(max_size=60), st.floats(0, 60))
def test_a_longer_sound_never_makes_a_text_less_likely(text, sounding_s):
    if not is_invented(text, sounding_s):
        assert not is_invented(text, sounding_s + 1)
