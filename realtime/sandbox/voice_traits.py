"""The traits of a voice: what makes one sound unlike another in espeak, and the traits of the system voices.

Knows which espeak variants belong to the system voices and which to the voices that an account created, so a created
voice never has the timbre of a system voice. Knows no recording, no description and no synthesis.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left
from dataclasses import dataclass
from math import log

__all__ = [
    "CREATED_VARIANTS",
    "LADDER",
    "SYSTEM_VARIANTS",
    "Traits",
    "pitch_for",
    "pitch_range",
    "system_traits",
]

_FEMALE = re.compile(
    "female|girl|lady|wom[ae]n|miss|queen|princess|sister|maiden|belle|shaonv|yujie|chengshu|tianmei|xuejie|mengmei|xuemei"
    "|xiaoling|heroine|hostess|abbess|antie|bestie|attendant|sweet|socialmedia_female|expressive_narrator|cute",
    re.IGNORECASE,
)
_MALE = re.compile(
    "(?<!fe)male|(?<!wo)m[ae]n(?![a-z])|boy|guy|bloke|knight|gentleman|arnold|santa|grinch", re.IGNORECASE
)
# The variants that a small English transcriber transcribes best.
SYSTEM_VARIANTS = {"female": ("steph", "f2", "f4"), "male": ("m2", "m5", "Michael", "adam", "benjamin", "m1")}
CREATED_VARIANTS = {
    "female": ("f1", "f3", "f5", "linda", "belinda"),
    "male": ("iven", "miguel", "Denis", "m3", "m7", "max"),
}
LADDER = (0, 20, 40, 60, 80, 99)  # espeak's pitch values that were measured
# The median pitch in Hertz of each created variant at the steps of LADDER, measured with an English sentence.
_MEASURED_HZ = {
    "f1": (114, 130, 159, 193, 242, 298), "f3": (143, 160, 185, 220, 269, 324), "f5": (125, 146, 178, 220, 276, 345),
    "linda": (130, 159, 199, 252, 324, 408), "belinda": (129, 159, 199, 253, 324, 408),
    "iven": (68, 77, 88, 106, 129, 159), "miguel": (75, 85, 98, 117, 142, 175), "Denis": (64, 74, 87, 107, 132, 165),
    "m3": (74, 80, 94, 111, 137, 170), "m7": (74, 84, 94, 112, 136, 166), "max": (67, 77, 90, 109, 134, 166),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Traits:
    """How a voice sounds."""

    variant: str  # espeak's name of the timbre, such as `f2`
    pitch: int  # espeak's scale, 0 to 99
    liveliness: int  # espeak's range of pitch, 0 (monotone) to 100
    speaking_rate: float  # times the normal rate
    roughness: float = 0.0  # 0 (clear) to 1 (hoarse)


def system_traits(voice_id: str) -> Traits:
    """The traits of a system voice. They depend only on the id, and two ids rarely share them."""
    seed = zlib.crc32(voice_id.encode())
    if _FEMALE.search(voice_id):
        gender = "female"
    elif _MALE.search(voice_id):
        gender = "male"
    else:
        gender = ("female", "male")[seed & 1]
    variants = SYSTEM_VARIANTS[gender]
    seed, choice = divmod(seed >> 1, len(variants))
    seed, pitch = divmod(seed, 21)
    seed, liveliness = divmod(seed, 5)
    lowest = 44 if gender == "female" else 38
    return Traits(variants[choice], lowest + pitch, 40 + 5 * liveliness, 0.97 + 0.01 * (seed % 7))


def pitch_range(variant: str) -> tuple[int, int]:
    """The lowest and highest pitch of a created variant, in Hertz."""
    steps = _MEASURED_HZ[variant]
    return steps[0], steps[-1]


def pitch_for(variant: str, hertz: float) -> int:
    """espeak's pitch value with which a created variant speaks at `hertz`, or the nearest it can."""
    steps = _MEASURED_HZ[variant]
    upper = bisect_left(steps, hertz)
    if upper == 0:
        return LADDER[0]
    if upper == len(steps):
        return LADDER[-1]
    below, above = steps[upper - 1], steps[upper]
    share = log(hertz / below) / log(above / below)
    return round(LADDER[upper - 1] + share * (LADDER[upper] - LADDER[upper - 1]))
