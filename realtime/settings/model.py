"""Settings: everything an operator can choose, in one frozen value with units in the names."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Account:
    """One of several accounts of the platform. What is None is as the setting of that name. `repr` leaves keys out.

    `for_keys` are the names of this server's keys that may use it (`key-` and 8 digits, as in the log); empty: all.
    """

    name: str
    api_key: str = field(repr=False)
    base_url: str | None = None
    speech_urls: tuple[str, ...] = ()  # empty: derived from base_url
    group_id: str | None = None
    speech_rpm: int | None = None
    chat_rpm: int | None = None
    speech_connections: int | None = None
    for_keys: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        from realtime.settings.accounts import checked  # it reads what this module defines

        for name, value in checked(self).items():
            object.__setattr__(self, name, value)


def _checks_what_is_given(cls: type[T]) -> type[T]:
    """Read the fields as the loader reads them, before they are set.

    Not in `__post_init__`: there nobody knows whether a value was given or is the default.
    """
    fill = cls.__init__

    @functools.wraps(fill)
    def __init__(self: T, **given: Any) -> None:
        from realtime.settings.given import checked  # it reads what this module defines

        fill(self, **(checked(given) if given else given))

    cls.__init__ = __init__  # type: ignore[assignment, method-assign]
    return cls


@_checks_what_is_given
@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a server. `repr` leaves keys out.

    `Settings()` has the defaults, `Settings.from_env()` the settings of the command line. Both take fields by name, and
    read and complete them in the same way: a text may stand for a list or a number, as in the environment, and a blank
    one leaves out an optional field that is no key. Raises ConfigError for an unknown name, an invalid value, and
    values that do not go together.
    """

    # the platform
    api_key: str | None = field(default=None, repr=False)
    base_url: str = "https://api.minimaxi.com"
    speech_urls: tuple[str, ...] = ()  # ordered hosts for synchronous speech; empty: derived from base_url
    group_id: str | None = None
    chat_model: str = "MiniMax-M3"
    chat_api: str = "openai"  # the platform's style of chat: openai or anthropic
    speech_model: str = "speech-2.8-turbo"
    voice_id: str = "English_Graceful_Lady"
    speech_socket: str = "ordinary"  # ordinary, bidi or http
    speech_rpm: int = 60
    chat_rpm: int = 200
    speech_connections: int = 20
    # Several accounts of the platform, the default one first; empty: the one of the fields above
    accounts: tuple[Account, ...] = ()
    chat_provider: str = "auto"  # auto, minimax, openai, or an installed one: name[:argument]
    speech_provider: str = "minimax"  # minimax, or an installed one: name[:argument]
    chat_base_url: str | None = None  # any OpenAI-compatible chat; None: MiniMax
    chat_api_key: str | None = field(default=None, repr=False)
    # audio input
    transcriber: str = "auto"  # auto, local[:model], minimax, openai:URL, none, or installed: name[:argument]
    transcriber_api_key: str | None = field(default=None, repr=False)
    voice_detector: str = "silero"  # silero, none, or an installed one: name[:argument]
    end_of_turn_model: str = "auto"  # auto, smart, none, or an installed one: name[:argument]
    language: str | None = None  # ISO-639-1; None: detected
    # the assistant
    instructions: str = (
        "You are a friendly voice assistant. You are heard, not read: answer in one to three short spoken "
        "sentences, in the language of the user, without lists, headings or markup."
    )
    greeting: str | None = None
    stand_in: str | None = None  # said for an answer that can only be seen; None: by language, "": nothing
    # server
    host: str = "127.0.0.1"
    port: int = 8000
    open_to_all: bool = False
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    server_secret: str | None = field(default=None, repr=False)  # signs client secrets; None: a random one
    admin: str | None = None  # HOST:PORT of metrics, health, POST /drain; None: the main port has two of them
    admin_addresses: tuple[str, ...] = ()  # may read the metrics and the details of /readyz without a key
    origins: tuple[str, ...] = ()
    # Addresses or networks whose X-Forwarded-Host is believed; "*": all
    trusted_proxies: tuple[str, ...] = ()
    store: str = "memory"  # memory, sqlite:PATH, redis, none, or an installed one: name[:argument]
    # Several servers share one account through this Redis; None: this one has it for itself
    redis: str | None = field(default=None, repr=False)
    redis_prefix: str = "rt:"  # of every key
    node: str | None = None  # this server's name among them; None: host name and port
    tools: tuple[str, ...] = ()  # Python functions the server runs for the model: module or module:function
    tool_timeout_s: float = 10.0
    tool_filler: str | None = None  # said while a slow tool runs, if the model has said nothing
    tls_cert: str | None = None
    tls_key: str | None = None
    log_level: str = "info"
    log_format: str = "text"  # text, json
    cache_dir: str | None = None  # joined and downloaded weights; None: in the user's home
    otlp_endpoint: str | None = None  # of a collector, for traces; None: none, unless the next one is set
    otlp_traces_endpoint: str | None = None  # the whole address for spans; None: /v1/traces at the one above
    trace_content: bool = False  # what is said, asked and answered is in the traces
    speculate: str = "chat"  # off, chat, speech
    max_sessions: int = 1000
    admission: str = "auto"  # of new sessions: load, count; auto: load in `realtime serve`, else count
    session_minutes: float = 60.0
    sessions_per_key: int = 0  # at once; 0: no limit but max_sessions
    # A session outlives its socket for so long, where the client asked for it; 0: `resume` is not offered
    resume_window_s: float = 30.0
    # timeouts, in seconds
    chat_first_timeout_s: float = 15.0
    chat_gap_timeout_s: float = 8.0
    speech_timeout_s: float = 5.0
    transcribe_timeout_s: float = 5.0
    silent_turn_timeout_s: float = 20.0
    budget_wait_s: float = 5.0
    drain_delay_s: float | None = None  # None: 5 s where a balancer asks `/lb` or `/readyz`, else none
    drain_s: float = 5.0  # with what follows it fits into the 10 s of `docker stop`
    send_timeout_s: float = 30.0  # a client that takes no byte for so long is gone

    @classmethod
    def from_env(cls, **overrides: Any) -> Settings:
        """The settings of the command line: the environment overrides `realtime.toml`, which overrides the defaults.

        `overrides` are fields by name and override all three; None unsets an optional field (`api_key=None` selects the
        sandbox). Raises ConfigError as `Settings` does; its message says what to do.
        """
        from realtime.settings.load import settings_from_env  # the same

        return settings_from_env(overrides)

    @property
    def use_sandbox(self) -> bool:
        """Whether no platform is configured: then the sandbox answers, in this process."""
        return self.api_key is None and not self.accounts
