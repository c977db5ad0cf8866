"""Microphones and speakers: chosen before and while talking, and what happens when one goes away."""

from __future__ import annotations

from typing import Any

START = """const { Microphone } = await import("/sdk/microphone.js");
    const microphone = new Microphone();
    const frame = () => new Promise((resolve) => microphone.addEventListener("frame", resolve, { once: true }));
    const asked = [], tracks = [], real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
        asked.push(wanted.audio.deviceId?.exact ?? null);
        const stream = await real(wanted);
        tracks.push(stream.getAudioTracks()[0]);
        return stream;
    };
    try { return await (async () => { BODY })(); }
    finally { microphone.stop(); navigator.mediaDevices.getUserMedia = real; }"""


async def run(page: Any, body: str) -> Any:
    await page.context.grant_permissions(["microphone"])
    return await page.evaluate("async () => {" + START.replace("BODY", body) + "}")


async def test_another_microphone_while_talking(page: Any) -> None:
    """The frames go on, the first device is released, and it stays muted if it was."""
    made = await run(page, """
        await microphone.start();
        await frame();
        microphone.mute(true);
        const [first, second] = await microphone.devices();
        const done = await microphone.use(second.id);
        await frame();
        return { done, right: microphone.deviceId === second.id && asked[1] === second.id, state: microphone.state,
            tracks: tracks.map((track) => track.readyState), enabled: tracks[1].enabled, names: Boolean(first.name) };
    """)  # fmt: skip
    assert made == {
        "done": True,
        "right": True,
        "state": "on",
        "tracks": ["ended", "live"],
        "enabled": False,
        "names": True,
    }


async def test_a_microphone_that_is_not_there_changes_nothing(page: Any) -> None:
    made = await run(page, """
        await microphone.start();
        const done = await microphone.use("nobody");
        await frame();
        return [done, microphone.state, microphone.deviceId, microphone.error.name, tracks[0].readyState];
    """)  # fmt: skip
    assert made == [False, "on", None, "OverconstrainedError", "live"]


async def test_a_microphone_that_goes_away_makes_room_for_another(page: Any) -> None:
    """A chosen one does; if there was none but it, the state says that it is lost."""
    made = await run(page, """
        const [, second] = await microphone.devices();
        await microphone.use(second.id);
        await microphone.start();
        await frame();
        tracks[0].stop();
        tracks[0].onended();
        while (tracks.length < 2) await frame();
        await frame();
        const after = [microphone.state, microphone.deviceId, asked];
        tracks[1].onended();
        await null;
        return [...after.slice(0, 2), asked.length, asked[0] === second.id, asked[1], microphone.state];
    """)  # fmt: skip
    assert made == ["on", None, 2, True, None, "lost"]


async def test_stopping_while_another_is_opened_leaves_none_open(page: Any) -> None:
    made = await run(page, """
        await microphone.start();
        const [, second] = await microphone.devices();
        const using = microphone.use(second.id);
        microphone.stop();
        await using;
        return [microphone.state, tracks.map((track) => track.readyState)];
    """)  # fmt: skip
    assert made == ["off", ["ended", "ended"]]


async def test_the_permission_is_told(page: Any) -> None:
    assert await run(page, "return microphone.permission();") == "granted"


async def test_a_speaker_is_chosen_where_the_browser_can(page: Any) -> None:
    """One that is not there changes nothing."""
    made = await run(page, """
        const { Player } = await import("/sdk/player.js");
        const player = new Player();
        await player.open();
        const listed = Array.isArray(await player.devices());
        const wrong = await player.use("nobody");
        const back = await player.use(null);
        await player.close();
        return [listed, wrong, player.deviceId, back];
    """)  # fmt: skip
    assert made == [True, False, None, True]


async def test_a_speaker_that_goes_away_makes_room_for_that_of_the_system(page: Any) -> None:
    """Only if it is gone, and while the player is open."""
    made = await run(page, """
        const { Player } = await import("/sdk/player.js");
        const player = new Player(), used = [];
        let there = [{ id: "desk" }, { id: "phones" }];
        const changed = async () => {
            navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
            await new Promise((resolve) => setTimeout(resolve));
            return [player.deviceId, used.length];
        };
        await player.open();
        player.devices = async () => there;
        player.context.setSinkId = async (id) => used.push(id);
        await player.use("phones");
        const same = await changed();
        there = [{ id: "desk" }];
        const gone = await changed();
        await player.close();
        player.deviceId = "phones";
        return [same, gone, used, (await changed())[0]];
    """)  # fmt: skip
    assert made == [["phones", 1], [None, 2], ["phones", ""], "phones"]
