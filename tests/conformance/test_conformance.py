"""All scripted conversations, with the server of REALTIME_CONFORMANCE_URL or our own server and the sandbox."""

import os
from collections.abc import AsyncIterator
from importlib.util import find_spec

import pytest
import pytest_asyncio

from tests.conformance.cases import all_cases
from tests.conformance.driver import run
from tests.conformance.schema import EVENTS
from tests.conformance.script import Case
from tests.server.stock_types import check_event

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address() -> AsyncIterator[tuple[str, str | None]]:
    if url := os.environ.get("REALTIME_CONFORMANCE_URL"):
        yield url, os.environ.get("REALTIME_CONFORMANCE_KEY")
        return
    from tests.conformance.own_server import own_server

    async with own_server() as url:
        yield url, None


seen: set[str] = set()
ran: set[str] = set()


@pytest.mark.parametrize("case", all_cases(), ids=str)
async def test_conversation(address: tuple[str, str | None], case: Case):
    if case.is_spoken and "REALTIME_CONFORMANCE_URL" not in os.environ and not find_spec("faster_whisper"):
        pytest.skip("no transcriber here: pip install 'minimax-realtime[local]'")
    outcome = await run(case, *address)
    assert not outcome.failures, "\n".join(outcome.failures)
    if find_spec("openai"):
        for event in outcome.events:  # strictly, by the type definitions of the stock client
            check_event(event)
    ran.add(case.name)
    seen.update(event["type"] for event in outcome.events)


async def test_the_conversations_cover_every_event():
    """Needs a run of all conversations."""
    if len(ran) < len(all_cases()):
        pytest.skip("only some of the conversations ran")
    # the sandbox sends no limits and its transcription does not fail: tests/server covers these events
    assert set(EVENTS) - seen <= {
        "rate_limits.updated",
        "conversation.item.input_audio_transcription.failed",
    }
