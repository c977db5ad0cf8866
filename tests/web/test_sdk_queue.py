"""The player's buffer and the worklets of the SDK, with samples instead of a sound card."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

# --- queue ---

PLAYOUT = """async (script) => {
    const { SampleQueue } = await import("/sdk/sample_queue.js");
    const queue = new SampleQueue(24000, { seconds: 1 });
    const output = [], results = [];
    for (const [verb, ...args] of script) {
        if (verb === "push") queue.push(args[0], Float32Array.from(args[1]));
        if (verb === "end") queue.end(args[0]);
        if (verb === "flush") results.push(queue.flush());
        if (verb === "trim") queue.trim(...args);
        if (verb === "report") results.push(queue.report());
        if (verb === "pull") for (let i = 0; i < (args[0] ?? 1); i++) {
            const out = new Float32Array(128);
            queue.pull(out);
            output.push(...out);
        }
    }
    return { output, results, jitter: queue.jitter, underruns: queue.underruns, ring: queue.ring.length };
}"""
FADE = 48  # samples: 2 ms
MARGIN = 240  # samples: 10 ms
RAMP = [(i % 1000) / 1000 + 0.001 for i in range(60_000)]


def silence_after(output: list[float], index: int) -> bool:
    return not np.any(np.array(output[index:]))


async def test_frames_of_any_size_join_without_a_gap(page: Any) -> None:
    """Frames of odd lengths, pulled in quanta, give the original recording."""
    script: list[list[Any]] = []
    at = 0
    for size in (1, 480, 37, 960, 127, 129, 4800, 3):
        script.append(["push", "a", RAMP[at : at + size]])
        at += size
    script += [["end", "a"], ["pull", 60]]
    result = await page.evaluate(PLAYOUT, script)
    assert np.allclose(result["output"][FADE:at], RAMP[FADE:at], atol=1e-6)
    assert result["underruns"] == 0


async def test_first_frame_is_played_in_the_first_quantum(page: Any) -> None:
    """Without an earlier underrun there is no jitter buffer."""
    result = await page.evaluate(PLAYOUT, [["pull"], ["push", "a", RAMP[:128]], ["pull"]])
    assert np.allclose(result["output"][128 + FADE : 256], RAMP[FADE:128], atol=1e-6)


async def test_the_ring_buffer_grows(page: Any) -> None:
    """Also if its content wraps around the end of the buffer."""
    script = [["push", "a", RAMP[:20000]], ["pull", 100], ["push", "a", RAMP[20000:60000]], ["pull", 400]]
    result = await page.evaluate(PLAYOUT, script)
    assert result["ring"] > 24000
    assert np.allclose(result["output"][FADE:60000], RAMP[FADE:], atol=1e-6)


async def test_after_an_underrun_output_waits(page: Any) -> None:
    """Output starts again once so much is ahead as was late (or after so long), fades in, and no sample is lost."""
    script = [["push", "a", RAMP[:128]], ["pull", 5], ["push", "a", [0.5] * 200], ["pull"]]
    script += [["push", "a", [0.5] * (512 + MARGIN)], ["pull", 8], ["report"]]
    result = await page.evaluate(PLAYOUT, script)
    assert result["underruns"] == 2
    assert not np.any(np.array(result["output"][5 * 128 : 6 * 128]))  # nothing is ahead yet
    assert result["results"][0][0]["output"] == 328 + 512 + MARGIN
    resumed = result["output"][6 * 128 : 6 * 128 + 600]
    assert resumed[0] < 0.05 < resumed[20] < 0.5
    assert np.allclose(resumed[60:], 0.5)


def arriving(key: str, every: int, late: list[int], size: int = 768) -> list[list[Any]]:
    """Pushes of `size` samples every `every` quanta, the n-th one `late[n]` quanta later; then the end, and all is played."""
    script: list[list[Any]] = []
    now = 0
    for number, more in enumerate(late):
        at = number * every + more
        script += [["pull", at - now]] if at > now else []
        now = max(now, at)
        script.append(["push", key, [0.5] * size])
    return [*script, ["end", key], ["pull", 60]]


async def test_the_jitter_buffer_is_as_long_as_arrivals_were_late(page: Any) -> None:
    """Pieces of 6 quanta every 6 quanta, one of them 5 quanta late: the next part waits for that and 10 ms more, and does
    not run dry."""
    late = [0, 0, 5, 0, 0, 0]
    first = await page.evaluate(PLAYOUT, arriving("a", 6, late))
    assert (first["underruns"], first["jitter"]) == (1, 5 * 128 + MARGIN)
    second = await page.evaluate(PLAYOUT, arriving("a", 6, late) + arriving("b", 6, late))
    assert second["underruns"] == 1


async def test_a_part_that_is_plentiful_starts_at_once(page: Any) -> None:
    """Also after others were late: as much as the jitter buffer wants is there at the first quantum."""
    script = [
        *arriving("a", 6, [0, 0, 5, 0]),
        ["push", "b", [0.5] * 768],
        ["push", "b", [0.5] * (5 * 128 + MARGIN)],
        ["pull"],
    ]
    output = (await page.evaluate(PLAYOUT, script))["output"]
    assert np.allclose(output[-128 + FADE :], 0.5)


async def test_the_jitter_buffer_shrinks_slowly(page: Any) -> None:
    """By 10 ms with each part that needed less."""
    script = arriving("a", 6, [0, 0, 5, 0])
    before = (await page.evaluate(PLAYOUT, script))["jitter"]
    after = [(await page.evaluate(PLAYOUT, script + arriving("b", 3, [0] * 4)))["jitter"]]
    after.append(
        (await page.evaluate(PLAYOUT, script + arriving("b", 3, [0] * 4) + arriving("c", 3, [0] * 4)))[
            "jitter"
        ]
    )
    assert [before - jitter for jitter in after] == [240, 480]


async def test_a_long_pause_of_the_voice_is_no_jitter(page: Any) -> None:
    """A second of waiting would not have helped: the buffer grows by one step, of which the end of the part takes half."""
    result = await page.evaluate(PLAYOUT, arriving("a", 6, [0, 0, 190, 190]))
    assert (result["underruns"], result["jitter"]) == (1, 240)


async def test_sound_fades_in_and_out(page: Any) -> None:
    """No step larger than that of a fade of 2 ms, at the start, the end, and a cut; no sample is taken for it."""
    script = [
        ["pull"],
        ["push", "a", [0.5] * 300],
        ["end", "a"],
        ["pull", 8],
        ["push", "b", [0.5] * 3000],
        ["pull", 3],
    ]
    result = await page.evaluate(PLAYOUT, [*script, ["flush"], ["pull", 4], ["report"]])
    assert np.max(np.abs(np.diff(result["output"]))) < 0.04
    assert {part["key"]: part["output"] for part in result["results"][1]} == {"a": 300, "b": 512}


async def test_the_end_of_a_part_is_not_an_underrun(page: Any) -> None:
    """The next reply starts without a jitter buffer."""
    script = [["push", "a", RAMP[:100]], ["end", "a"], ["pull", 3], ["push", "b", RAMP[:128]], ["pull"]]
    result = await page.evaluate(PLAYOUT, script)
    assert result["underruns"] == 0
    assert np.allclose(result["output"][3 * 128 + FADE :], RAMP[FADE:128], atol=1e-6)


async def test_flush_is_silent_after_one_quantum_and_counts_exactly(page: Any) -> None:
    """One more quantum fades out, then the output is zero; the report includes the fading quantum."""
    script = [["push", "a", [0.5] * 5000], ["pull", 8], ["flush"], ["pull", 10], ["report"]]
    result = await page.evaluate(PLAYOUT, script)
    fading = result["output"][8 * 128 : 9 * 128]
    assert all(later < earlier for earlier, later in itertools.pairwise(fading))
    assert fading[-1] == 0
    assert silence_after(result["output"], 9 * 128)
    assert result["results"][0] == [{"key": "a", "played": 9 * 128, "received": 5000}]
    assert result["results"][1][0]["output"] == 9 * 128
    assert result["results"][1][0]["done"]


async def test_flush_reports_every_part_and_drops_late_audio(page: Any) -> None:
    """Flush ends the playing part and the next one; later audio for them is dropped."""
    script = [["push", "a", [0.5] * 200], ["end", "a"], ["push", "b", [0.5] * 500], ["pull"], ["flush"]]
    script += [["push", "b", [0.9] * 500], ["pull", 6]]
    result = await page.evaluate(PLAYOUT, script)
    flushed = {part["key"]: (part["played"], part["received"]) for part in result["results"][0]}
    assert flushed == {"b": (56, 500)}  # `a` ends inside the fading quantum
    assert silence_after(result["output"], 2 * 128)


@pytest.mark.parametrize("first", [0, 23_000], ids=["in a row", "around the end of the ring"])
async def test_a_part_that_is_trimmed_ends_there_and_the_next_one_follows(page: Any, first: int) -> None:
    """Parts may even take turns in the buffer."""
    script: list[list[Any]] = [["push", "z", [0.1] * first], ["end", "z"], ["pull", -(-first // 128)]]
    script += [["push", "a", [0.5] * 600], ["push", "b", [0.25] * 300], ["push", "a", [0.5] * 600]]
    script += [["push", "b", [0.25] * 300], ["end", "a"], ["end", "b"], ["pull"], ["trim", "a", 700]]
    result = await page.evaluate(PLAYOUT, [*script, ["pull", 12], ["report"]])
    output = np.array(result["output"][-(-first // 128) * 128 :])
    assert np.allclose(output[FADE:1300], [0.5] * (600 - FADE) + [0.25] * 300 + [0.5] * 100 + [0.25] * 300)
    assert silence_after(result["output"], len(result["output"]) - 128)
    told = {part["key"]: (part["output"], part["done"]) for part in result["results"][0]}
    assert (told["a"], told["b"]) == ((700, True), (600, True))
    assert result["underruns"] == 0


async def test_a_part_that_is_past_its_new_end_stops_at_once_without_a_click(page: Any) -> None:
    script = [["push", "a", [0.5] * 5000], ["end", "a"], ["pull", 8], ["trim", "a", 300], ["trim", "x", 1]]
    result = await page.evaluate(PLAYOUT, [*script, ["pull", 4], ["report"]])
    assert np.max(np.abs(np.diff(result["output"][FADE:]))) < 0.04
    assert silence_after(result["output"], 10 * 128)
    assert [(part["output"], part["done"]) for part in result["results"][0]] == [(8 * 128, True)]


async def test_the_player_plays_to_what_the_server_says_to_count(page: Any) -> None:
    """A third of the sound is dropped, and the part is over when the rest was heard."""
    heard = await page.evaluate("""async () => {
        const { ResponseAudio } = await import("/sdk/response_audio.js");
        const { Player } = await import("/sdk/player.js");
        const player = new Player(), told = [];
        const audio = new ResponseAudio({
            player, send: (event) => told.push(event), session: () => ({ extensions: ["playback"] }),
        });
        await player.open();
        player.push("0:item_A6", new Int16Array(24000 * 0.6));
        player.end("0:item_A6");
        audio.handle({ type: "conversation.item.truncated", item_id: "item_A6", content_index: 0, audio_end_ms: 400 });
        audio.handle({ type: "conversation.item.truncated", item_id: "item_A5", audio_end_ms: 400 });
        while (player.playing) await new Promise((done) => player.addEventListener("progress", done, { once: true }));
        await player.close();
        return told.at(-1);
    }""")
    assert heard["state"] == "drained"
    assert heard["played_ms"] == 400


async def test_flush_when_nothing_plays_reports_nothing(page: Any) -> None:
    """A reply that was played to its end is not reported."""
    script = [["push", "a", RAMP[:128]], ["end", "a"], ["pull", 4], ["flush"]]
    assert (await page.evaluate(PLAYOUT, script))["results"] == [[]]


# --- the worklets ---


async def test_capture_resamples_the_rate_of_the_context(page: Any) -> None:
    """A tone in a 44.1 kHz context becomes 20 ms frames at 24 kHz, with its level."""
    made = await page.evaluate("""async () => {
        const context = new OfflineAudioContext(1, 44100, 44100);
        await context.audioWorklet.addModule("/sdk/worklets/capture.js");
        const node = new AudioWorkletNode(context, "realtime-capture", {
            outputChannelCount: [1], processorOptions: { rate: 24000, frameMs: 20 } });
        const frames = [];
        node.port.onmessage = ({ data: { pcm, level } }) =>
            frames.push({ pcm: Array.from(new Int16Array(pcm)), level });
        const tone = new OscillatorNode(context, { frequency: 1000 });
        tone.connect(node).connect(context.destination);
        tone.start();
        await context.startRendering();
        const soon = () => new Promise((resolve) => setTimeout(resolve, 100));
        for (let tries = 0; frames.length < 49 && tries < 600; tries++) await soon();
        await soon();
        return frames;
    }""")
    assert {len(frame["pcm"]) for frame in made} == {480}
    assert len(made) in (49, 50)  # the last one may wait for the resampler's tail
    assert made[20]["level"] == pytest.approx(1 / math.sqrt(2), abs=0.01)
    pcm = np.concatenate([frame["pcm"] for frame in made])
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    assert np.argmax(spectrum) * 24000 / len(pcm) == pytest.approx(1000, abs=2)


@pytest.mark.parametrize("context_rate", [24000, 48000])
async def test_player_worklet_plays_without_gaps_and_reports(page: Any, context_rate: int) -> None:
    """Frames sent over the port are played without a gap; the reports have the correct length."""
    result = await page.evaluate(
        """async (contextRate) => {
        const context = new OfflineAudioContext(1, contextRate * 2, contextRate);
        await context.audioWorklet.addModule("/sdk/worklets/player.js");
        const node = new AudioWorkletNode(context, "realtime-player", {
            numberOfInputs: 0, outputChannelCount: [1], processorOptions: { rate: 24000 } });
        const reports = [];
        node.port.onmessage = ({ data }) => reports.push(data);
        node.connect(context.destination);
        for (let at = 0; at < 24000; at += 960) {
            const tone = (_, i) => 12000 * Math.sin(2 * Math.PI * 500 * (at + i) / 24000);
            const pcm = Int16Array.from({ length: 960 }, tone);
            node.port.postMessage({ type: "audio", key: "a", pcm: pcm.buffer });
        }
        node.port.postMessage({ type: "end", key: "a" });
        const soon = () => new Promise((resolve) => setTimeout(resolve, 200));
        await soon();
        const rendered = await context.startRendering();
        const last = () => reports.filter((r) => r.parts?.length).at(-1);
        for (let tries = 0; !last() && tries < 300; tries++) await soon();
        await soon();
        return { output: Array.from(rendered.getChannelData(0)), last: last() };
    }""",
        context_rate,
    )
    output = np.array(result["output"])
    start = int(np.argmax(np.abs(output) > 0))
    tone = 12000 / 32768 * np.sin(2 * math.pi * 500 * np.arange(context_rate) / context_rate)
    skip = context_rate // 500  # the fade of 2 ms
    first = start if context_rate == 48000 else start - 1
    errors = np.abs(output[first : first + context_rate] - tone)[skip:-skip]
    assert np.max(errors) < (0.05 if context_rate == 48000 else 0.001)
    assert not np.any(output[start + context_rate + 500 :])
    part = result["last"]["parts"][0]
    assert part["done"]
    assert part["outputMs"] == pytest.approx(1000, abs=1)
