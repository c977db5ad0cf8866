"""The arguments of every call that sends a JSON body, by the operation's name in `operations`.

The numbers are those of the pages in docs/minimax/; the sandbox reads the same pages on its own. Arguments that are
made of several (subjects, contents, weights) are put together beside their call and stand here as `Json`.
"""

from __future__ import annotations

from collections.abc import Mapping

from realtime.minimax.fields import Field, Flag, Id, Json, Model, Number, OneOf, Text, Whole

SPEECH_MODELS = (
    "speech-2.8-hd", "speech-2.8-turbo", "speech-2.6-hd", "speech-2.6-turbo", "speech-02-hd", "speech-02-turbo",
    "speech-01-hd", "speech-01-turbo", "speech-2.5-hd-preview", "speech-2.5-turbo-preview",
)  # fmt: skip
EMOTIONS = (
    "happy", "sad", "angry", "fearful", "disgusted", "surprised", "calm", "fluent", "whisper", "neutral",
)  # fmt: skip
SPEECH_FORMATS = ("mp3", "pcm", "flac", "wav", "pcmu_raw", "pcmu_wav", "opus")
SPEECH_RATES = (8000, 16000, 22050, 24000, 32000, 44100)  # Hertz; opus: see docs/minimax/t2a-async.md 1
BITRATES = (32000, 64000, 128000, 256000)
EFFECTS = ("spacious_echo", "auditorium_echo", "lofi_telephone", "robotic")
IMAGE_MODELS = ("image-01", "image-01-live")
MUSIC_MODELS = (
    "music-3.0", "music-2.6", "music-cover", "music-2.6-free", "music-cover-free", "music-2.5+", "music-2.5",
    "music-2.0", "music-1.5",
)  # fmt: skip
VIDEO_MODELS = (
    "MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast", "MiniMax-Hailuo-02", "T2V-01-Director", "T2V-01",
    "I2V-01-Director", "I2V-01-live", "I2V-01", "S2V-01",
)  # fmt: skip
VIDEO_V2_MODELS = ("MiniMax-H3", "MiniMax-H3-Max", "MiniMax-H3-Highspeed", "MiniMax-H3-Lite")
LANGUAGES = (
    "auto", "Chinese", "Chinese,Yue", "English", "Arabic", "Russian", "Spanish", "French", "Portuguese", "German",
    "Turkish", "Dutch", "Ukrainian", "Vietnamese", "Indonesian", "Japanese", "Italian", "Korean", "Thai", "Polish",
    "Romanian", "Greek", "Czech", "Finnish", "Hindi", "Bulgarian", "Danish", "Hebrew", "Malay", "Persian", "Slovak",
    "Swedish", "Croatian", "Filipino", "Hungarian", "Norwegian", "Slovenian", "Catalan", "Nynorsk", "Tamil",
    "Afrikaans",
)  # fmt: skip

WATERMARK = Field("watermark", "aigc_watermark", Flag())
CALLBACK = Field("callback", "callback_url", Text(2048))
_MODIFY = (
    Field("modify_pitch", "voice_modify.pitch", Whole(-100, 100)),
    Field("modify_intensity", "voice_modify.intensity", Whole(-100, 100)),
    Field("modify_timbre", "voice_modify.timbre", Whole(-100, 100)),
    Field("sound_effect", "voice_modify.sound_effects", OneOf(EFFECTS)),
)
VOICE = (
    Field("model", "model", Model(SPEECH_MODELS), required=True),
    Field("voice_id", "voice_setting.voice_id", Text(256, 0)),
    Field("speed", "voice_setting.speed", Number(0.5, 2)),
    Field("volume", "voice_setting.vol", Number(0, 10, above=True)),
    Field("pitch", "voice_setting.pitch", Whole(-12, 12)),
    Field("emotion", "voice_setting.emotion", OneOf(EMOTIONS)),
    Field("english_normalization", "voice_setting.english_normalization", Flag()),
    Field("pronunciation", "pronunciation_dict.tone", Json('a list of "text/reading"')),
    Field("language", "language_boost", OneOf(LANGUAGES)),
    *_MODIFY,
    WATERMARK,
)
SPEECH = (
    *VOICE,
    Field("text", "text", Text(9_999), required=True),
    Field("text_normalization", "voice_setting.text_normalization", Flag()),
    Field("text_normalization_mode", "text_normalization_mode", OneOf(("basic", "quality"))),
    Field("latex_read", "voice_setting.latex_read", Flag()),
    Field("format", "audio_setting.format", OneOf(SPEECH_FORMATS)),
    Field("rate", "audio_setting.sample_rate", OneOf(SPEECH_RATES)),
    Field("bitrate", "audio_setting.bitrate", OneOf(BITRATES)),
    Field("channels", "audio_setting.channel", OneOf((1, 2))),
    Field("force_cbr", "audio_setting.force_cbr", Flag()),
    Field("timbre_weights", "timbre_weights", Json("up to 4 voices with weights from 1 to 100")),
    Field("subtitles", "subtitle_type", OneOf(("sentence", "word", "word_streaming"))),
    Field("subtitle_enable", "subtitle_enable", Flag()),
    Field("continuous_sound", "continuous_sound", Flag()),
    Field("stream", "stream", Flag()),
    Field("exclude_aggregated_audio", "stream_options.exclude_aggregated_audio", Flag()),
    Field("output", "output_format", OneOf(("hex", "url"))),
)
NARRATION = (
    *VOICE,
    Field("text", "text", Text(50_000)),
    Field("file_id", "text_file_id", Id()),
    Field("format", "audio_setting.format", OneOf(SPEECH_FORMATS)),
    Field("rate", "audio_setting.audio_sample_rate", OneOf((*SPEECH_RATES, 12000, 48000))),
    Field("bitrate", "audio_setting.bitrate", OneOf(BITRATES)),
    Field("channels", "audio_setting.channel", OneOf((1, 2))),
)
CLONE = (
    Field("voice_id", "voice_id", Text(256, 8), required=True),
    Field("file_id", "file_id", Id(), required=True),
    Field("prompt", "clone_prompt", Json("a recording below 8 s and its text")),
    Field("say", "text", Text(1_000)),
    Field("model", "model", Model(SPEECH_MODELS)),
    Field("language", "language_boost", OneOf(LANGUAGES)),
    Field("text_validation", "text_validation", Text(200)),
    Field("accuracy", "accuracy", Number(0, 1)),
    Field("reduce_noise", "need_noise_reduction", Flag()),
    Field("normalize_volume", "need_volume_normalization", Flag()),
    WATERMARK,
)
DESIGN = (
    Field("prompt", "prompt", Text(), required=True),
    Field("say", "preview_text", Text(500), required=True),
    Field("voice_id", "voice_id", Text(256, 8)),
    WATERMARK,
)
IMAGE = (
    Field("model", "model", Model(IMAGE_MODELS), required=True),
    Field("prompt", "prompt", Text(1_500), required=True),
    Field("style", "style.style_type", OneOf(("漫画", "元气", "中世纪", "水彩")), models=("image-01-live",)),
    Field("style_weight", "style.style_weight", Number(0, 1, above=True), models=("image-01-live",)),
    Field("ratio", "aspect_ratio", OneOf(("1:1", "16:9", "4:3", "3:2", "2:3", "3:4", "9:16", "21:9"))),
    Field("width", "width", Whole(512, 2048, 8)),
    Field("height", "height", Whole(512, 2048, 8)),
    Field("n", "n", Whole(1, 9)),
    Field("seed", "seed", Whole(-(2**63), 2**63 - 1)),
    Field("optimize_prompt", "prompt_optimizer", Flag()),
    Field("subject", "subject_reference", Json("one picture of one person")),
    Field("output", "response_format", OneOf(("url", "base64"))),
    WATERMARK,
)
MUSIC = (
    Field("model", "model", Model(MUSIC_MODELS), required=True),
    Field("prompt", "prompt", Text(2_000, 0)),
    Field("lyrics", "lyrics", Text(3_500)),
    Field("optimize_lyrics", "lyrics_optimizer", Flag(), models=("music-2.5+", "music-2.6", "music-3")),
    Field("instrumental", "is_instrumental", Flag(), models=("music-2.5+", "music-2.6", "music-3")),
    Field("format", "audio_setting.format", OneOf(("mp3", "wav", "pcm"))),
    Field("rate", "audio_setting.sample_rate", OneOf((16000, 24000, 32000, 44100))),
    Field("bitrate", "audio_setting.bitrate", OneOf(BITRATES)),
    Field("channels", "audio_setting.channel", OneOf((1, 2))),
    Field("stream", "stream", Flag()),
    Field("output", "output_format", OneOf(("hex", "url"))),
    Field("cover_url", "audio_url", Text(), models=("music-cover",)),
    Field("cover_base64", "audio_base64", Text(), models=("music-cover",)),
    Field("cover_feature_id", "cover_feature_id", Text(), models=("music-cover",)),
    Field("seed", "seed", Whole(0, 1_000_000), models=("music-cover",)),
    WATERMARK,
)
LYRICS = (
    Field("mode", "mode", OneOf(("write_full_song", "edit")), required=True),
    Field("prompt", "prompt", Text(2_000, 0)),
    Field("lyrics", "lyrics", Text(3_500)),
    Field("title", "title", Text()),
)
COVER = (
    Field("model", "model", Model(("music-cover", "music-cover-free")), required=True),
    Field("cover_url", "audio_url", Text()),
    Field("cover_base64", "audio_base64", Text()),
)
VIDEO = (
    Field("model", "model", Model(VIDEO_MODELS), required=True),
    Field("prompt", "prompt", Text(2_000)),
    Field("first", "first_frame_image", Text()),
    Field("last", "last_frame_image", Text(), models=("MiniMax-Hailuo-02",)),
    Field("subject", "subject_reference", Json("one picture of one face"), models=("S2V-01",)),
    Field("seconds", "duration", OneOf((6, 10))),
    Field("resolution", "resolution", OneOf(("512P", "720P", "768P", "1080P"))),
    Field("optimize_prompt", "prompt_optimizer", Flag()),
    Field("fast_pretreatment", "fast_pretreatment", Flag(), models=("MiniMax-Hailuo",)),
    CALLBACK,
    WATERMARK,
)
TEMPLATE = (
    Field("template", "template_id", Text(64), required=True),
    Field("media", "media_inputs", Json("a list of pictures"), required=True),
    Field("texts", "text_inputs", Json("a list of texts"), required=True),
    CALLBACK,
)
VIDEO_V2 = (
    Field("model", "model", Model(VIDEO_V2_MODELS), required=True),
    Field("content", "content", Json("the text and its media"), required=True),
    Field("resolution", "resolution", OneOf(("480P", "768P", "2K")), required=True),
    Field("seconds", "duration", Whole(4, 15), required=True),
    Field("ratio", "ratio", OneOf(("adaptive", "21:9", "16:9", "4:3", "1:1", "3:4", "9:16"))),
    Field(
        "expand_prompt",
        "extra.prompt_expansion_mode",
        OneOf(("disabled", "balanced", "quality")),
        models=("MiniMax-H3-Max",),
    ),
    CALLBACK,
    WATERMARK,
)
REGENERATION = (
    Field("model", "model", Model(VIDEO_V2_MODELS)),
    Field("source_task_id", "source_task_id", Text(64)),
    Field("content", "content", Json("a text and a base video")),
    Field("resolution", "resolution", OneOf(("2K",)), required=True),
    CALLBACK,
    WATERMARK,
)
CONTEXT = (
    Field("model", "model", Model(("MiniMax-H3",)), required=True),
    Field("content", "content", Json("the text and its media"), required=True),
    Field("seconds", "duration", Whole(4, 15)),
    Field("ratio", "ratio", OneOf(("adaptive", "21:9", "16:9", "4:3", "1:1", "3:4", "9:16"))),
    CALLBACK,
)
BATCH = (
    Field("file_id", "input_file_id", Id(), required=True),
    Field("endpoint", "endpoint", Text(256)),
    Field("window", "completion_window", Text(16)),
    CALLBACK,
)

TABLES: Mapping[str, tuple[Field, ...]] = {
    "speech.synthesize": SPEECH,
    "narration.create": NARRATION,
    "voices.clone": CLONE,
    "voices.design": DESIGN,
    "images.create": IMAGE,
    "music.create": MUSIC,
    "music.write_lyrics": LYRICS,
    "music.prepare_cover": COVER,
    "video.create": VIDEO,
    "templates.create": TEMPLATE,
    "video_v2.create": VIDEO_V2,
    "video_v2.regenerate": REGENERATION,
    "video_v2.context": CONTEXT,
    "batches.create": BATCH,
}
