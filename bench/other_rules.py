"""When other projects end a turn by default, over the same signals: by what their documentation says, not their code.

Positions in ms of the audio, like those of `listened.py`.
"""

from __future__ import annotations

from bench.conditions import Sound
from bench.listened import Heard
from realtime.core.endpointing import FRAME_MS
from realtime.providers.base import VAD_FRAME_SAMPLES, Providers

# Pipecat 1.x: probability of speech; ms of speech that begin a turn; ms of silence after which smart-turn is asked, and
# after which the turn ends whatever that says; the probability that it is finished
PIPECAT_SPEECH, PIPECAT_START_MS, PIPECAT_STOP_MS, PIPECAT_LONGEST_MS, PIPECAT_FINISHED = (
    0.7,
    200,
    200,
    3_000,
    0.5,
)
# LiveKit Agents 1.x with its Silero plugin: probabilities from which it is speech, and below which it is not any more;
# ms of speech that begin a turn, of silence that end it. The session's `min_delay` of 0.5 s is over by then.
LIVEKIT_SPEECH, LIVEKIT_SILENCE, LIVEKIT_START_MS, LIVEKIT_STOP_MS = 0.5, 0.35, 50, 550
PREROLL_FRAMES = 16  # of a turn that smart-turn is asked about


async def _probabilities(providers: Providers, sound: Sound) -> list[float]:
    """Of speech, one for each frame of the detector."""
    assert providers.vad is not None
    size = VAD_FRAME_SAMPLES
    frames = [sound.samples[at : at + size] for at in range(0, len(sound.samples) - size + 1, size)]
    stream = providers.vad.open()
    try:
        return list(await stream.probabilities(frames))
    finally:
        stream.close()


async def pipecat(providers: Providers, sound: Sound) -> Heard:
    """Silence of 0.2 s asks smart-turn about the turn so far, and 3 s of silence end it."""
    assert providers.end_of_turn is not None
    size = VAD_FRAME_SAMPLES
    heard, voiced_ms, silent_ms, began = Heard(), 0, 0, -1
    for index, probability in enumerate(await _probabilities(providers, sound)):
        speech = probability >= PIPECAT_SPEECH
        voiced_ms, silent_ms = (voiced_ms + FRAME_MS, 0) if speech else (0, silent_ms + FRAME_MS)
        if began < 0:
            if voiced_ms >= PIPECAT_START_MS:
                began = max(0, index + 1 - voiced_ms // FRAME_MS)
                heard.began_ms.append(float(began * FRAME_MS))
            continue
        asks = PIPECAT_STOP_MS <= silent_ms < PIPECAT_STOP_MS + FRAME_MS
        turn = sound.samples[max(0, began - PREROLL_FRAMES) * size : (index + 1) * size]
        finished = asks and await providers.end_of_turn.finished(turn) > PIPECAT_FINISHED
        if silent_ms >= PIPECAT_LONGEST_MS or finished:
            heard.ended_ms.append(float((index + 1) * FRAME_MS))
            began = -1
    return heard


async def livekit(providers: Providers, sound: Sound) -> Heard:
    """Silence alone: the licence of the model that it can be given allows its use with LiveKit Agents only."""
    heard, voiced_ms, silent_ms, began = Heard(), 0, 0, False
    for index, probability in enumerate(await _probabilities(providers, sound)):
        speech = probability >= LIVEKIT_SPEECH or (began and probability >= LIVEKIT_SILENCE)
        voiced_ms, silent_ms = (voiced_ms + FRAME_MS, 0) if speech else (0, silent_ms + FRAME_MS)
        now_ms = float((index + 1) * FRAME_MS)
        if not began and voiced_ms >= LIVEKIT_START_MS:
            began = True
            heard.began_ms.append(now_ms - voiced_ms)
        elif began and silent_ms >= LIVEKIT_STOP_MS:
            began = False
            heard.ended_ms.append(now_ms)
    return heard
