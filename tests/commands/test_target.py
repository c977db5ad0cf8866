"""The server of a conversation, as the commands reach it."""

import pytest
from realtime_client import ConnectionFailed

from realtime.commands.common import GIVE_KEY, Target
from tests.commands.running import environment, run_here
from tests.ports import free_port
from tests.server.harness import open_harness


async def test_another_chat_model_than_that_of_the_server_is_told(capsys):
    async with open_harness() as harness:
        url = harness.server.url
        async with Target(url, None, None).connected() as talk:
            its = talk.session["model"]
        async with Target(url, None, None, {"model": its}).connected():
            pass
        assert capsys.readouterr().err == ""
        async with Target(url, None, None, {"model": "nope"}).connected() as talk:
            assert talk.session["model"] == its
    assert capsys.readouterr().err == f"realtime: The server answers with its chat model {its}, not nope.\n"


async def test_a_key_that_is_missing_or_wrong_is_told_in_words_of_the_command_line():
    async with open_harness(api_keys=("one",)) as harness:
        for key, said in ((None, "This server needs a key of its own"), ("two", "Incorrect API key")):
            with pytest.raises(ConnectionFailed, match=said) as refused:
                async with Target(harness.server.url, key, None).connected():
                    pass
            assert str(refused.value).endswith(GIVE_KEY)
            assert "Bearer" not in str(refused.value)


def test_who_asks_a_platform_that_is_not_there_is_told_where(tmp_path):
    url = f"http://127.0.0.1:{free_port()}"
    environ = environment(tmp_path, MINIMAX_BASE_URL=url, MINIMAX_API_KEY="k", NO_COLOR="1")
    status, out, err = run_here(["ask", "hi", "--out", "a.wav"], environ, tmp_path)
    assert status == 1
    assert f"the connection to {url} failed" in " ".join((out + err).split())
