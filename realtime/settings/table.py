"""The table of settings: for each field of `Settings` its names in the environment, how it is read, what it means.

`docs/configuration.md` is generated from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime.settings import readers as types
from realtime.settings.accounts import accounts


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its field of `Settings`, its environment variables (the first one set is used), its reader."""

    field: str
    names: tuple[str, ...]
    read: types.Reader
    meaning: str
    secret: bool = False


def _setting(
    field: str, name: str, meaning: str, read: types.Reader = types.text, *, secret: bool = False
) -> Setting:
    return Setting(field, tuple(name.split()), read, meaning, secret)


GROUPS: tuple[tuple[str, tuple[Setting, ...]], ...] = (
    (
        "The platform",
        (
            _setting(
                "api_key",
                "MINIMAX_API_KEY",
                "The platform's key. Without it and without a base URL, the sandbox in the process answers.",
                types.key,
                secret=True,
            ),
            _setting(
                "base_url",
                "MINIMAX_BASE_URL",
                "The platform's address, for everything but what the next rows say. `https://api.minimax.io` outside mainland China.",
                types.platform_url,
            ),
            _setting(
                "speech_urls",
                "MINIMAX_SPEECH_URLS",
                "Hosts for synchronous speech, in order, separated by commas. Default: derived from the base URL.",
                types.urls,
            ),
            _setting("group_id", "MINIMAX_GROUP_ID", "Sent with requests only if set."),
            _setting(
                "chat_model",
                "CHAT_MODEL MINIMAX_CHAT_MODEL",
                "The chat model. M2.x models think; their thinking is never spoken.",
            ),
            _setting(
                "chat_api",
                "MINIMAX_CHAT_API",
                "The style in which MiniMax is asked for answers: `openai` or `anthropic`.",
                types.choice("openai", "anthropic"),
            ),
            _setting("speech_model", "MINIMAX_SPEECH_MODEL", "The speech model."),
            _setting("voice_id", "MINIMAX_VOICE_ID", "The voice, where a client names none."),
            _setting(
                "speech_socket",
                "MINIMAX_SPEECH_SOCKET",
                "How speech is asked for: `ordinary` (WebSocket), `bidi` (bidirectional WebSocket) or `http`.",
                types.choice("ordinary", "bidi", "http"),
            ),
            _setting(
                "speech_rpm",
                "MINIMAX_SPEECH_RPM",
                "Speech requests a minute that the account allows. Early answers use at most half. 20 on mainland hosts, unless set.",
                types.whole(1, 1_000_000),
            ),
            _setting(
                "chat_rpm",
                "MINIMAX_CHAT_RPM",
                "Chat requests a minute that the account allows. Early answers use at most half.",
                types.whole(1, 1_000_000),
            ),
            _setting(
                "speech_connections",
                "MINIMAX_SPEECH_CONNECTIONS",
                "Speech connections at once that the account allows.",
                types.whole(1, 100_000),
            ),
            _setting(
                "accounts",
                "REALTIME_ACCOUNTS",
                "More accounts: a JSON list, or `[[accounts]]` in `realtime.toml` ([scale.md](scale.md)).",
                accounts,
                secret=True,
            ),
        ),
    ),
    (
        "Who plays which role",
        (
            _setting(
                "chat_provider",
                "CHAT_PROVIDER",
                "Who answers: `auto` (OpenAI-compatible if `CHAT_BASE_URL` is set, else MiniMax), `minimax`, `openai`, or an installed one.",
                types.provider("auto, minimax, openai"),
            ),
            _setting(
                "chat_base_url", "CHAT_BASE_URL", "Any OpenAI-compatible chat instead of MiniMax.", types.url
            ),
            _setting("chat_api_key", "CHAT_API_KEY", "The key of that chat.", types.key, secret=True),
            _setting(
                "speech_provider",
                "SPEECH_PROVIDER",
                "Who speaks: `minimax`, or an installed one.",
                types.provider("minimax"),
            ),
            _setting(
                "transcriber",
                "TRANSCRIBER",
                "Who transcribes: `auto`, `local[:model]`, `minimax`, `openai:URL`, `none` (clients send text), or an installed one.",
                types.transcriber,
            ),
            _setting(
                "transcriber_api_key",
                "TRANSCRIBER_API_KEY",
                "The key of an OpenAI-compatible transcriber.",
                types.key,
                secret=True,
            ),
            _setting(
                "voice_detector",
                "VOICE_DETECTOR",
                "Who detects speech: `silero`, `none`, or an installed one.",
                types.provider("silero, none"),
            ),
            _setting(
                "end_of_turn_model",
                "END_OF_TURN_MODEL",
                "Who judges by sound whether a turn is over: `auto` (if it was fetched by `realtime setup turn`), `smart`, `none`, or an installed one.",
                types.provider("auto, smart, none"),
            ),
            _setting(
                "store",
                "REALTIME_STORE",
                "Where conversations are kept: `memory`, `sqlite:PATH`, `redis` (of `REALTIME_REDIS`), `none`, or an installed one.",
                types.store,
            ),
        ),
    ),
    (
        "The conversation",
        (
            _setting(
                "language",
                "REALTIME_LANGUAGE",
                "The language that users speak (`en`, `zh`, ...); `auto` detects it. `en` makes transcription of English three times cheaper. `zh-TW` and `zh-HK` write Chinese in traditional characters.",
                types.language,
            ),
            _setting(
                "instructions",
                "REALTIME_INSTRUCTIONS",
                "What the assistant is told, where a client says nothing.",
                types.text_or_empty,
            ),
            _setting("greeting", "REALTIME_GREETING", "What the assistant says first in each session."),
            _setting(
                "stand_in",
                "REALTIME_STAND_IN",
                "Said in the place of an answer that can only be seen, such as code or a table; `none` says nothing. Default: a phrase in the user's language.",
                types.text_or_none,
            ),
            _setting(
                "speculate",
                "SPECULATE",
                "How much of an answer is begun before a turn is certain to be over: `off`, `chat` (the voice begins when the silence makes the end likely, under `semantic_vad`), or `speech` (the voice begins at once).",
                types.choice("off", "chat", "speech"),
            ),
            _setting(
                "tools",
                "REALTIME_TOOLS",
                "Python functions that the server runs for the model: `module` or `module:function`, separated by commas.",
                types.texts,
            ),
            _setting(
                "tool_timeout_s",
                "REALTIME_TOOL_TIMEOUT_S",
                "A tool gets so long, in seconds, from when its function begins.",
                types.positive,
            ),
            _setting(
                "tool_filler",
                "REALTIME_TOOL_FILLER",
                "Said while a slow tool runs, if the model has said nothing.",
            ),
        ),
    ),
    (
        "The server",
        (
            _setting(
                "host",
                "REALTIME_HOST",
                "The address to listen on. Other machines need keys, or `REALTIME_OPEN`.",
            ),
            _setting("port", "REALTIME_PORT", "The port; 0 picks a free one.", types.whole(0, 65_535)),
            _setting(
                "open_to_all", "REALTIME_OPEN", "Listen beyond this machine without keys.", types.yes_no
            ),
            _setting(
                "api_keys",
                "REALTIME_API_KEYS",
                "Keys that clients must present, separated by commas.",
                types.keys,
                secret=True,
            ),
            _setting(
                "server_secret",
                "REALTIME_SERVER_SECRET",
                "Signs client secrets: 32 random characters or more, the same on all servers that share them. Default: a random one, kept in a file.",
                types.server_secret,
                secret=True,
            ),
            _setting(
                "admin",
                "REALTIME_ADMIN",
                "The admin port, `HOST:PORT`: metrics, health and `POST /drain` of `realtime serve`, with workers of all. Then "
                "the main port has no `/metrics`. Default: no admin port.",
                types.address,
            ),
            _setting(
                "admin_addresses",
                "REALTIME_ADMIN_ADDRESSES",
                "Addresses or networks that may read `/metrics` and all of `/readyz`, and use the admin port, without a key, besides this machine.",
                types.networks,
            ),
            _setting(
                "origins",
                "REALTIME_ORIGINS",
                "Web pages that may connect, by origin, besides the server's own and this machine's; `*` for all (a warning at the start says what that means).",
                types.origins,
            ),
            _setting(
                "trusted_proxies",
                "REALTIME_TRUSTED_PROXIES",
                "Addresses or networks of proxies in front, whose `X-Forwarded-Host` or `Forwarded` says the page's host; `*` for all.",
                types.networks,
            ),
            _setting(
                "redis",
                "REALTIME_REDIS",
                "Several servers share the account through this Redis: `redis://`, `rediss://`, `unix://`, or `redis+sentinel://a,b,c/name`.",
                types.redis_address,
                secret=True,
            ),
            _setting("redis_prefix", "REALTIME_REDIS_PREFIX", "The beginning of every key there."),
            _setting(
                "node",
                "REALTIME_NODE",
                "This server's name among them, the same again after a restart. Default: host name and port.",
            ),
            _setting("tls_cert", "REALTIME_TLS_CERT", "A certificate file, for https.", types.path),
            _setting("tls_key", "REALTIME_TLS_KEY", "Its private key.", types.path),
            _setting(
                "log_level",
                "REALTIME_LOG_LEVEL",
                "`debug`, `info`, `warning`, `error` or `critical`; `talk` and `ask`: errors only, unless set. No level logs words or keys.",
                types.choice("debug", "info", "warning", "error", "critical"),
            ),
            _setting(
                "log_format",
                "REALTIME_LOG_FORMAT",
                "`text`, or `json`: one object for each line.",
                types.choice("text", "json"),
            ),
            _setting(
                "cache_dir",
                "REALTIME_CACHE_DIR",
                "The folder of joined and downloaded weights. Default: `minimax-realtime` in `XDG_CACHE_HOME`, or in `~/.cache`.",
                types.path,
            ),
            _setting(
                "max_sessions", "REALTIME_MAX_SESSIONS", "All sessions at once.", types.whole(1, 1_000_000)
            ),
            _setting(
                "admission",
                "REALTIME_ADMISSION",
                "`load`: no new sessions while the process is late or short of CPU or memory; `count`: only their "
                "numbers count; `auto`: `load` in `realtime serve`, `count` inside another application.",
                types.choice("auto", "load", "count"),
            ),
            _setting(
                "session_minutes",
                "REALTIME_SESSION_MINUTES",
                "A session ends after so long, in minutes.",
                types.positive,
            ),
            _setting(
                "sessions_per_key",
                "REALTIME_SESSIONS_PER_KEY",
                "Sessions at once for each key, on each server; 0: no limit but the one above.",
                types.whole(0, 1_000_000),
            ),
            _setting(
                "resume_window_s",
                "REALTIME_RESUME_WINDOW_S",
                "A session outlives its socket for so long, in seconds, where the client asked for it; 0: never.",
                types.seconds,
            ),
        ),
    ),
    (
        "Traces",
        (
            _setting(
                "otlp_endpoint",
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "A collector for OpenTelemetry traces of turns (OTLP over HTTP, often port 4318). Needs the extra `otel`. The other `OTEL_` variables count as usual.",
                types.url,
            ),
            _setting(
                "otlp_traces_endpoint",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                "The whole address for traces, where it is not `/v1/traces` at the one above.",
                types.url,
            ),
            _setting(
                "trace_content",
                "REALTIME_TRACE_CONTENT",
                "`yes`: traces hold what users say, what the model is told and answers, and what tools are given and give.",
                types.yes_no,
            ),
        ),
    ),
    (
        "Timeouts, in seconds",
        (
            _setting(
                "chat_first_timeout_s",
                "REALTIME_CHAT_FIRST_TIMEOUT_S",
                "Until the chat model's first byte.",
                types.positive,
            ),
            _setting(
                "chat_gap_timeout_s",
                "REALTIME_CHAT_GAP_TIMEOUT_S",
                "Between two of its bytes.",
                types.positive,
            ),
            _setting(
                "speech_timeout_s",
                "REALTIME_SPEECH_TIMEOUT_S",
                "Until the voice's first audio, and between two frames of it.",
                types.positive,
            ),
            _setting(
                "transcribe_timeout_s",
                "REALTIME_TRANSCRIBE_TIMEOUT_S",
                "Until a transcript; a quarter of the audio's length is added.",
                types.positive,
            ),
            _setting(
                "silent_turn_timeout_s",
                "REALTIME_SILENT_TURN_TIMEOUT_S",
                "A reply with neither sound nor text for so long fails.",
                types.positive,
            ),
            _setting(
                "budget_wait_s",
                "REALTIME_BUDGET_WAIT_S",
                "A chat or speech request over the budget waits for at most so long.",
                types.positive,
            ),
            _setting(
                "drain_delay_s",
                "REALTIME_DRAIN_DELAY_S",
                "A stop waits so long before sessions leave, so that a balancer notices; without a value 5 s where one "
                "asks `/lb` or `/readyz`, else 0.",
                types.seconds,
            ),
            _setting(
                "drain_s",
                "REALTIME_DRAIN_S",
                "At the end of the server, users may finish their turns and hear the answers for so long.",
                types.positive,
            ),
            _setting(
                "send_timeout_s",
                "REALTIME_SEND_TIMEOUT_S",
                "A client that takes no byte for so long is gone.",
                types.positive,
            ),
        ),
    ),
)

SETTINGS: tuple[Setting, ...] = tuple(setting for _, settings in GROUPS for setting in settings)
