"""What `sdk/stats.js` makes of events and times: the numbers of `voice.stats()`."""

from __future__ import annotations

from typing import Any

FEED = """async (steps) => {
    const { Stats } = await import("/sdk/stats.js");
    const stats = new Stats({ maxTurns: 3 });
    for (const [call, ...values] of steps) {
        if (call === "playback") values[0].heard = new Map(Object.entries(values[0].heard));
        stats[call](...values);
    }
    return stats.read();
}"""
MARKS = {
    "speech_ended": 0, "turn_confirmed": 400, "chat_request": 150, "chat_first_delta": 600, "first_chunk": 620,
    "speech_first_audio": 800, "first_audio_sent": 810, "playback_started": 900,
}  # fmt: skip


async def read(page: Any, *steps: list[Any]) -> dict[str, Any]:
    result: dict[str, Any] = await page.evaluate(FEED, list(steps))
    return result


def came(at: float, kind: str, **fields: Any) -> list[Any]:
    return ["received", {"type": kind, **fields}, {"at": at}]


def went(at: float, kind: str, **fields: Any) -> list[Any]:
    return ["sent", {"type": kind, **fields}, {"at": at}]


def turn(number: int, at: float, marks: dict[str, int] | None = None) -> list[list[Any]]:
    """A turn whose first audio arrives at `at`, is acknowledged 70 ms later, and heard from 60 ms later on."""
    response, item = f"resp_{number}", f"item_{number}"
    steps = [
        came(at - 100, "response.created", response={"id": response, "conversation_id": "c"}),
        came(at - 50, "response.output_item.added", response_id=response, item={"id": item}),
        came(at - 40, "response.content_part.added", response_id=response, item_id=item, stream=number),
        ["frame", {"stream": number, "at": at}],
        ["playback", {"at": at + 65, "heard": {item: 5}, "underruns": 2, "bufferedMs": 35.0}],
        went(at + 70, "output_audio_buffer.played", item_id=item),
        came(at + 500, "response.done", response={"id": response, "status": "completed"}),
    ]
    if marks is not None:
        done: dict[str, Any] = {"response_id": response, "origin": "speech_ended", "marks": marks}
        steps.append(came(at + 510, "response.latency.done", **done))
    return steps


async def test_nothing_is_known_at_first(page: Any) -> None:
    stats = await read(page)
    assert stats["turns"] == []
    assert (stats["p50"], stats["p95"], stats["jitterMs"]) == (None, None, None)
    assert stats["speculation"] == {"hits": 0, "waste": None}


async def test_page_and_server_share_one_time_line(page: Any) -> None:
    """90 ms at the server and 70 ms at the page between audio and acknowledgement: 20 ms are the network's."""
    stats = await read(page, *turn(1, 5000.0, MARKS))
    (only,) = stats["turns"]
    assert only["roundTripMs"] == 20
    assert only["marks"] | MARKS == only["marks"]
    assert only["marks"]["page_audio"] == 820  # 10 ms after it left
    assert only["marks"]["page_sound"] == 880  # 60 ms later
    assert only["firstSoundMs"] == 880
    assert only["early"]
    assert (stats["underruns"], stats["bufferedMs"]) == (2, 35.0)


async def test_without_an_acknowledgement_the_way_counts_as_nothing(page: Any) -> None:
    marks = {name: ms for name, ms in MARKS.items() if name != "playback_started"} | {"chat_request": 401}
    (only,) = (await read(page, *turn(1, 5000.0, marks)))["turns"]
    assert only["marks"]["page_audio"] == 810
    assert only["roundTripMs"] is None
    assert not only["early"]


async def test_a_stock_server_is_measured_from_the_page(page: Any) -> None:
    """No marks of the server: a typed turn has its own zero; a spoken one has none, and no number is invented."""
    typed = (await read(page, went(4600.0, "response.create"), *turn(1, 5000.0)))["turns"][0]
    assert typed["origin"] == "page_sent"
    assert typed["firstSoundMs"] == 460
    assert typed["marks"] == {
        "page_sent": 0,
        "page_created": 300,
        "page_audio": 400,
        "page_sound": 460,
        "page_done": 900,
    }
    spoken = (await read(page, came(4600.0, "input_audio_buffer.speech_stopped"), *turn(1, 5000.0)))["turns"][
        0
    ]
    assert (spoken["origin"], spoken["firstSoundMs"], spoken["marks"]) == (None, None, {})


async def test_percentiles_and_bounds(page: Any) -> None:
    """The oldest turns go; the percentiles are of those that are left."""
    steps = [step for n in range(1, 6) for step in turn(n, 5000.0 * n, MARKS)]
    stats = await read(page, *steps)
    assert [each["response_id"] for each in stats["turns"]] == ["resp_3", "resp_4", "resp_5"]
    late = turn(2, 20_000.0, {**MARKS, "first_audio_sent": 1810, "playback_started": 1900})
    stats = await read(page, *turn(1, 5000.0, MARKS), *late, *turn(3, 30_000.0, MARKS))
    assert (stats["p50"], stats["p95"]) == (880, 1880)


async def test_requests_and_events(page: Any) -> None:
    usage = {"input_tokens": 90, "output_tokens": 20, "input_token_details": {"cached_tokens": 64}}
    stats = await read(
        page,
        went(1.0, "response.create"),
        came(2.0, "response.created", response={"id": "resp_1", "conversation_id": None}),
        came(3.0, "response.done", response={"id": "resp_1", "usage": usage}),
        came(4.0, "session.resumed"),
    )
    assert stats["requests"] == {"responses": 1, "inputTokens": 90, "cachedTokens": 64, "outputTokens": 20}
    assert stats["turns"] == [], "out of band is no turn"
    assert (stats["events"]["sent"], stats["events"]["received"]) == (1, 3)
    assert stats["resumed"] == 1


async def test_a_server_of_another_version_does_no_harm(page: Any) -> None:
    """Unknown events, missing fields, marks that are no numbers."""
    odd = [
        came(1.0, "something.new"), came(1.0, "response.created"), came(1.0, "response.done"),
        came(1.0, "response.output_item.added"), came(1.0, "response.content_part.added"),
        came(1.0, "response.latency.done"), came(1.0, "response.output_audio.delta"),
        went(1.0, "output_audio_buffer.played"), ["frame", {"stream": 7, "at": 1.0}],
    ]  # fmt: skip
    stats = await read(page, *odd, *turn(1, 5000.0, {"chat_request": "soon", "first_audio_sent": 3}))  # type: ignore[dict-item]
    (only,) = stats["turns"]
    assert "chat_request" not in only["marks"]
    assert only["marks"]["page_audio"] == 3
