"""Providers by name: those of this package, those of other installed packages, and the errors."""

import asyncio
import re
import sys
import textwrap

import pytest

from realtime.commands import checks
from realtime.commands.checks import Verdict
from realtime.errors import ConfigError
from realtime.providers.catalog import ROLES, candidates, find, known
from realtime.providers.memory_store import MemoryStore
from realtime.providers.testing import FakeChat, FakeSpeech
from realtime.server.runtime import open_runtime
from realtime.settings import Settings
from tests import virtual_time

MODULE = """
    from realtime.providers.memory_store import MemoryStore
    from realtime.providers.testing import FakeChat, FakeSpeech, FakeTranscriber


    def create(settings):
        return FakeChat(name=f"acme {settings.chat_provider}")


    def create_speech(settings):
        return FakeSpeech()


    def create_transcriber(settings):
        return FakeTranscriber(name=settings.transcriber.partition(":")[2])


    def create_store(settings):
        return MemoryStore()


    nothing = None
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a package with these entry points, as pip does, until the end of the test."""

    def installed(package: str, module: str, code: str, *points: str) -> None:
        site = tmp_path / package
        info = site / f"{package}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("\n".join(["[realtime.providers]", *points, ""]))
        (site / f"{module}.py").write_text(textwrap.dedent(code))
        monkeypatch.syspath_prepend(site)
        monkeypatch.delitem(sys.modules, module, raising=False)

    return installed


@pytest.fixture
def acme(install):
    install(
        "acme", "acme_voice", MODULE,
        "chat.acme = acme_voice",
        "speech.acme = acme_voice:create_speech",
        "transcriber.acme = acme_voice:create_transcriber",
        "chat.openai = acme_voice",
        "store.gone = acme_no_such_module",
        "store.minimax = acme_voice:create_store",
        "speech.nothing = acme_voice:nothing_of_the_kind",
    )  # fmt: skip


def chosen(**settings: str) -> Settings:
    return Settings(voice_detector="none", end_of_turn_model="none", **settings)


async def test_an_installed_package_adds_providers(acme):
    settings = chosen(chat_provider="acme:large", speech_provider="acme", transcriber="acme:nova-2")
    async with open_runtime(settings) as runtime:
        providers = runtime.providers
        assert isinstance(providers.chat, FakeChat)
        assert providers.chat.name == "acme acme:large", "a module's create() sees the settings"
        assert isinstance(providers.speech, FakeSpeech)
        assert runtime.transcriber_name == "nova-2"
        assert (providers.vad, providers.end_of_turn, runtime.missing) == (None, None, ())
        assert isinstance(runtime.store, MemoryStore)
        assert not runtime.sandbox, "no provider uses the platform"


async def test_the_sandbox_runs_if_one_provider_uses_the_platform(acme):
    async with open_runtime(chosen(chat_provider="acme", transcriber="none")) as runtime:
        assert runtime.sandbox
        assert runtime.settings.base_url.startswith("http://127.0.0.1:")


async def test_a_provider_of_another_package_named_minimax_needs_no_sandbox(acme):
    settings = chosen(chat_provider="acme", speech_provider="acme", transcriber="none", store="minimax")
    async with open_runtime(settings) as runtime:
        assert isinstance(runtime.store, MemoryStore)
        assert not runtime.sandbox


def test_a_name_of_this_package_wins(acme):
    assert find("chat", "openai").entry_point is None
    assert known("chat") == ["auto", "minimax", "openai", "acme"]


async def test_the_error_for_an_unknown_name_lists_the_known_ones(acme):
    with pytest.raises(ConfigError) as caught:
        async with open_runtime(chosen(chat_provider="magic")):
            pass
    assert str(caught.value) == (
        "CHAT_PROVIDER=magic: There is no chat named 'magic'; known names: auto, minimax, openai, acme."
    )


@pytest.mark.parametrize(
    ("setting", "variable"),
    [
        ("transcriber", "TRANSCRIBER"),
        ("voice_detector", "VOICE_DETECTOR"),
        ("end_of_turn_model", "END_OF_TURN_MODEL"),
        ("speech_provider", "SPEECH_PROVIDER"),
        ("store", "REALTIME_STORE"),
    ],
)
async def test_the_error_of_each_role_names_its_setting(setting, variable):
    with pytest.raises(
        ConfigError, match=f"^{variable}=magic:x: There is no .* named 'magic'; known names: "
    ):
        async with open_runtime(Settings(**{setting: "magic:x"})):
            pass


async def test_the_error_for_a_broken_package_names_it(acme):
    with pytest.raises(ConfigError, match="store 'gone' of the package acme cannot be loaded: No module"):
        await find("store", "gone").provide(Settings())
    with pytest.raises(ConfigError, match="speech 'nothing' of the package acme cannot be loaded"):
        await find("speech", "nothing").provide(Settings())


async def test_a_mistake_in_a_package_is_named_with_its_place(install):
    code = """
    def breaks(settings):
        raise RuntimeError("boom")

    def gives_none(settings):
        return None

    def exits(settings):
        raise SystemExit("usage")

    def takes_nothing():
        return None

    async def exits_later(settings):
        raise SystemExit("usage")

    class Silent:
        name, closed = "silent", 0

        def aclose(self):
            Silent.closed += 1

    def half(settings):
        return Silent()
    """
    names = ("breaks", "gives_none", "exits", "takes_nothing", "exits_later", "half")
    points = [f"chat.{name} = broken_voice:{name}" for name in names]
    install("broken", "broken_voice", code, *points)
    for name, said in {
        "breaks": "cannot be created: broken_voice.py line 3: RuntimeError: boom",
        "gives_none": "cannot be used: its create(settings) gives None.",
        "exits": "cannot be created: broken_voice.py line 9: SystemExit: usage",
        "takes_nothing": "cannot be created: TypeError: takes_nothing() takes 0 positional arguments but 1 was given",
        "exits_later": "cannot be created: broken_voice.py line 15: SystemExit: usage",
        "half": "cannot be used: The chat provider Silent has no method `stream`.",
    }.items():
        with pytest.raises(ConfigError) as caught:
            await find("chat", name).provide(Settings())
        assert str(caught.value) == f"The chat '{name}' of the package broken {said}"
    assert sys.modules["broken_voice"].Silent.closed == 1, "what cannot be used is closed again"


PLAIN = """
    closed = []

    class Plain:
        name = "plain-1"

        async def stream(self, request):
            yield "Hello."

    class Closes(Plain):
        def aclose(self):
            closed.append(self.name)

    def create(settings):
        return Plain()

    async def create_later(settings):
        return Closes()

    def create_none(settings):
        return None

    async def create_slowly(settings):
        await __import__("asyncio").sleep(3600)

    class Stays(Plain):
        async def aclose(self):
            await create_slowly(None)

    def create_staying(settings):
        return Stays()
"""


@pytest.fixture
def plain(install):
    names = {"plain": "create", "later": "create_later", "none": "create_none", "slow": "create_slowly"}
    names["stays"] = "create_staying"
    install(
        "plain", "plain_chat", PLAIN, *(f"chat.{name} = plain_chat:{made}" for name, made in names.items())
    )


async def test_a_provider_of_a_package_needs_no_class_of_ours_and_may_be_created_by_a_coroutine(plain):
    for name, closed in (("plain", []), ("later", ["plain-1"])):
        settings = chosen(chat_provider=name, transcriber="none", store="none")
        async with open_runtime(settings) as runtime:
            assert runtime.providers.chat.name == "plain-1"
        assert sys.modules["plain_chat"].closed == closed


async def test_the_doctor_creates_the_providers_of_other_packages(plain):
    for name, verdict in (("plain", Verdict.GOOD), ("later", Verdict.GOOD), ("none", Verdict.BAD)):
        finding = await checks._providers(chosen(chat_provider=name, transcriber="none"))
        assert finding.verdict is verdict
    assert (
        finding.advice
        == "The chat 'none' of the package plain cannot be used: its create(settings) gives None."
    )
    assert sys.modules["plain_chat"].closed == ["plain-1"]


async def test_the_doctor_calls_no_provider_bad_that_takes_its_time(plain, monkeypatch):
    assert checks.CREATED_S >= 60.0  # it may load a model
    monkeypatch.setattr(checks, "CREATED_S", 0.05)
    finding = await checks._providers(chosen(chat_provider="slow", transcriber="none"))
    assert finding.verdict is Verdict.NOTE
    assert finding.advice.startswith("not there after 0.05 s: the chat 'slow' of the package plain")


async def test_the_doctor_says_of_a_provider_that_does_not_close_that_it_was_there(plain, monkeypatch):
    monkeypatch.setattr(checks, "CLOSED_S", 0.05)
    finding = await checks._providers(chosen(chat_provider="stays", transcriber="none"))
    assert finding.verdict is Verdict.NOTE
    assert finding.advice.startswith("its aclose() had not ended after 0.05 s: the chat 'stays'")


class Tried:
    """A provider of another package, as the catalog finds it."""

    name, package, entry_point = "own", "theirs", object()

    def __init__(self, role: str, error: Exception | None) -> None:
        self.role, self._error = role, error

    async def provide(self, settings):
        if self._error is not None:
            raise self._error
        await asyncio.sleep(3600)


@pytest.mark.parametrize(
    ("broken", "told"),
    [(None, ["'own'"] * len(ROLES)), (ConfigError("It is wrong."), ["It is wrong."] * len(ROLES))],
)
def test_the_doctor_tries_all_at_once_and_tells_of_each(monkeypatch, broken, told):
    monkeypatch.setattr("realtime.providers.catalog.candidates", lambda role, _: [Tried(role, broken)])

    async def doctor():
        began_s = asyncio.get_running_loop().time()
        finding = await checks._providers(Settings())
        return finding, asyncio.get_running_loop().time() - began_s

    finding, took_s = virtual_time.run(doctor())
    assert took_s < 2 * checks.CREATED_S
    assert re.findall(told[0], finding.advice) == told


def test_a_name_in_two_packages_is_an_error(acme, install):
    install("zenith", "zenith_voice", MODULE, "chat.acme = zenith_voice")
    with pytest.raises(ConfigError, match="packages acme and zenith both have a chat named 'acme'"):
        find("chat", "acme")


async def test_the_same_entry_point_twice_is_no_error(acme, install):
    install("acme_again", "acme_again", "", "chat.acme = acme_voice")  # as an editable install beside a wheel
    assert (await find("chat", "acme").provide(Settings())).name == "acme auto"


@pytest.mark.parametrize(
    ("settings", "role", "names"),
    [
        (Settings(), "chat", ["minimax"]),
        (Settings(chat_base_url="http://h/v1", chat_model="m"), "chat", ["openai"]),
        (Settings(chat_base_url="http://h/v1", chat_model="m", chat_provider="minimax"), "chat", ["minimax"]),
        (Settings(), "transcriber", ["local"]),
        (Settings(api_key="k"), "transcriber", ["local", "minimax"]),
        (Settings(transcriber="none"), "transcriber", []),
        (Settings(transcriber="local:base.en"), "transcriber", ["local"]),
        (Settings(store="none"), "store", []),
        (Settings(store="sqlite:/a/file"), "store", ["sqlite"]),
        (Settings(voice_detector="none"), "vad", []),
        (Settings(end_of_turn_model="none"), "end_of_turn", []),
        (Settings(end_of_turn_model="smart"), "end_of_turn", ["smart"]),
    ],
)
def test_the_settings_select_the_providers(settings, role, names):
    assert [source.name for source in candidates(role, settings)] == names


def test_this_package_has_a_provider_for_every_role():
    for role in ROLES:
        assert known(role)
