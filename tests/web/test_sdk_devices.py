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
    """A chosen one, and one of the browser's choice; if there is none but it, the state says that it is lost."""
    made = await run(page, """
        const [, second] = await microphone.devices();
        await microphone.use(second.id);
        await microphone.start();
        await frame();
        const gone = async () => { tracks.at(-1).stop(); tracks.at(-1).onended(); };
        for (const opened of [2, 3]) {
            gone();
            while (tracks.length < opened) await frame();
            await frame();
        }
        const after = [microphone.state, microphone.deviceId, asked[0] === second.id, asked.slice(1)];
        navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("none", "NotFoundError"); };
        const lost = new Promise((resolve) => microphone.addEventListener("state", resolve, { once: true }));
        gone();
        await lost;
        return [...after, microphone.state];
    """)  # fmt: skip
    assert made == ["on", None, True, [None, None], "lost"]


PLUG = """
    const open = navigator.mediaDevices.getUserMedia, none = (name) => async () => { throw new DOMException("no", name); };
    const changed = () => new Promise((resolve) => microphone.addEventListener("state", resolve, { once: true }));
    const gone = async (name) => {
        navigator.mediaDevices.getUserMedia = none(name);
        const done = changed();
        tracks.at(-1).stop();
        tracks.at(-1).onended();
        await done;
        navigator.mediaDevices.getUserMedia = open;
        return microphone.state;
    };
    const plug = () => navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
    await microphone.start();
    await frame();
"""


async def test_a_microphone_that_is_plugged_in_again_goes_on(page: Any) -> None:
    """Soon afterwards, as often as that happens; not once it was stopped, and not after a minute."""
    made = await run(page, PLUG + """
        const seen = [];
        for (const _ of [1, 2]) {
            seen.push(await gone("NotFoundError"));
            const asking = changed();
            plug();
            await asking;
            await changed();
            await frame();
            seen.push(microphone.state);
        }
        const settled = async () => { plug(); await microphone.devices(); await microphone.devices(); return microphone.state; };
        await gone("NotFoundError");
        microphone.stop();
        seen.push(await settled());
        await microphone.start();
        await frame();
        await gone("NotFoundError");
        const now = performance.now.bind(performance);
        performance.now = () => now() + 61_000;
        seen.push(await settled());
        performance.now = now;
        return seen;
    """)  # fmt: skip
    assert made == ["lost", "on", "lost", "on", "off", "lost"]


async def test_a_permission_that_is_taken_back_is_told(page: Any) -> None:
    """The track ends as if it was unplugged."""
    assert await run(page, PLUG + "return gone('NotAllowedError');") == "denied"


async def test_a_microphone_chosen_while_the_first_one_is_opened_is_used(page: Any) -> None:
    made = await run(page, """
        await microphone.start();
        await frame();
        microphone.stop();
        const [, second] = await microphone.devices();
        const starting = microphone.start();
        const promised = await microphone.use(second.id);
        await starting;
        await frame();
        return [promised, asked.at(-1) === second.id, microphone.deviceId === second.id, microphone.state];
    """)  # fmt: skip
    assert made == [True, True, True, "on"]


async def test_a_chosen_microphone_that_is_not_there_makes_room_until_it_is_back(page: Any) -> None:
    """As a headset that a page remembers: without it, the one of the browser; at the next start it is tried again."""
    made = await run(page, """
        const [, headset] = await (await microphone.start(), microphone.devices());
        microphone.stop();
        const open = navigator.mediaDevices.getUserMedia;
        const seen = [];
        for (const [there, error] of [[false, "OverconstrainedError"], [false, "NotFoundError"], [true]]) {
            navigator.mediaDevices.getUserMedia = async (wanted) => {
                if (wanted.audio.deviceId && !there) throw new DOMException("gone", error);
                return open(wanted);
            };
            if (!seen.length) await microphone.use(headset.id);
            await microphone.start();
            await frame();
            seen.push([microphone.state, microphone.deviceId === (there ? headset.id : null)]);
            microphone.stop();
        }
        navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("none", "NotFoundError"); };
        await microphone.start();
        return [...seen, microphone.state];
    """)  # fmt: skip
    assert made == [["on", True], ["on", True], ["on", True], "missing"]


async def test_a_microphone_that_the_system_has_muted_is_not_on(page: Any) -> None:
    made = await run(page, """
        const open = navigator.mediaDevices.getUserMedia;
        let muted = true;
        navigator.mediaDevices.getUserMedia = async (wanted) => {
            const stream = await open(wanted);
            Object.defineProperty(stream.getAudioTracks()[0], "muted", { get: () => muted });
            return stream;
        };
        const seen = [];
        microphone.addEventListener("state", ({ detail }) => seen.push(detail));
        await microphone.start();
        muted = false;
        tracks[0].dispatchEvent(new Event("unmute"));
        return [...seen];
    """)  # fmt: skip
    assert made == ["asking", "interrupted", "on"]


SLOW_CODE = """
    const add = AudioWorklet.prototype.addModule;
    let load;
    AudioWorklet.prototype.addModule = async function (address) { await new Promise((done) => { load = done; }); return add.call(this, address); };
    const starting = microphone.start();
    while (!load) await new Promise((done) => setTimeout(done, 5));
    tracks[0].stop();
    tracks[0].onended?.();
"""


async def test_a_microphone_that_goes_away_while_its_code_loads_is_replaced(page: Any) -> None:
    made = await run(page, SLOW_CODE + """
        try {
            load();
            await starting;
            await frame();
            return [microphone.state, asked.length, tracks.at(-1).readyState];
        } finally { AudioWorklet.prototype.addModule = add; }
    """)  # fmt: skip
    assert made == ["on", 2, "live"]


async def test_a_microphone_that_goes_away_while_its_code_loads_is_lost_without_another(page: Any) -> None:
    made = await run(page, SLOW_CODE + """
        const open = navigator.mediaDevices.getUserMedia;
        try {
            navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("none", "NotFoundError"); };
            load();
            await starting;
            const seen = [microphone.state];
            navigator.mediaDevices.getUserMedia = open;
            AudioWorklet.prototype.addModule = add;
            navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
            await frame();
            return [...seen, microphone.state];
        } finally { AudioWorklet.prototype.addModule = add; }
    """)  # fmt: skip
    assert made == ["lost", "on"]


async def test_another_choice_that_fails_after_the_microphone_went_away_leaves_one_in_use(page: Any) -> None:
    """The choice came later than the end, so it counts; it cannot be opened."""
    made = await run(page, """
        await microphone.start();
        await frame();
        tracks[0].stop();
        tracks[0].onended();
        const done = await microphone.use("nobody");
        while (tracks.length < 2) await frame();
        await frame();
        return [done, microphone.state, tracks.at(-1).readyState];
    """)  # fmt: skip
    assert made == [False, "on", "live"]


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
