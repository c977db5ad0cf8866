"""An account with too few requests refuses new sessions, before everybody waits."""

from realtime.providers import FakeChat, FakeSpeech
from realtime.server.run import running
from realtime.settings import Settings
from tests.server.harness import open_harness, open_socket
from tests.server.test_front_door import error_of, rejection

QUIET = {"transcriber": None, "vad": None, "end_of_turn": None}


async def test_a_used_up_account_refuses_the_session_that_it_has_no_turn_for():
    async with open_harness(speech_rpm=4) as harness, harness.connect() as one, harness.connect():
        response = await rejection(harness)
        assert response.status_code == 503
        assert 10 <= int(response.headers["Retry-After"]) <= 30
        assert error_of(response)["code"] == "account_exhausted"
        assert (await one.ask("What is two plus two?"))["status"] == "completed"


async def test_the_sandbox_in_this_process_has_no_account():
    async with running(Settings(port=0, transcriber="none", speech_rpm=1, chat_rpm=1)) as server:
        url = server.url.replace("http", "ws", 1) + "/v1/realtime"
        async with open_socket(url) as one, open_socket(url) as other:
            await one.until("conversation.created")
            await other.until("conversation.created")


async def test_a_provider_that_tells_no_limit_has_none():
    class Bare:
        """A speech provider that is no subclass of the role."""

        def __init__(self) -> None:
            self._speech = FakeSpeech()

        def __getattr__(self, name: str):
            if name == "requests_per_minute":
                raise AttributeError(name)
            return getattr(self._speech, name)

    own = {**QUIET, "chat": FakeChat([]), "speech": Bare()}
    async with running(Settings(port=0), providers=own) as server:
        url = server.url.replace("http", "ws", 1) + "/v1/realtime"
        async with open_socket(url) as one:
            await one.until("conversation.created")
