"""The server of a conversation, as the commands reach it."""

from realtime.commands.common import Target
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
