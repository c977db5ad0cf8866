"""Camera commands in a prompt, and where the camera looks at each moment.

It knows the fifteen commands in both languages (docs/minimax/video.md 1) and no pictures: a view is a shift and a
magnification of the first frame. Commands in one pair of brackets happen together, pairs one after the other.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_COMMANDS = {
    "truck left": "左移",
    "truck right": "右移",
    "pan left": "左摇",
    "pan right": "右摇",
    "push in": "推进",
    "pull out": "拉远",
    "pedestal up": "上升",
    "pedestal down": "下降",
    "tilt up": "上摇",
    "tilt down": "下摇",
    "zoom in": "变焦推近",
    "zoom out": "变焦拉远",
    "shake": "晃动",
    "tracking shot": "跟随",
    "static shot": "固定",
}
_BY_WORD = {word: name for name, chinese in _COMMANDS.items() for word in (name, chinese)}
_BRACKETS = re.compile(r"[\[【]([^\[\]【】]*)[\]】]")
_SEPARATORS = re.compile(r"[,，、;；+]")
FURTHEST = 0.28  # share of a side that a view may leave the first frame by


@dataclass(frozen=True, slots=True)
class View:
    """Where the camera looks. Without arguments it shows exactly the first frame."""

    right: float = 0.0  # shares of the width
    down: float = 0.0  # shares of the height
    zoom: float = 1.0  # magnification; 2 shows half of the width

    def add(self, other: View) -> View:
        """Both at once."""
        return View(self.right + other.right, self.down + other.down, self.zoom * other.zoom)

    def kept_inside(self) -> View:
        """The nearest view that leaves the first frame by no more than FURTHEST on any side."""
        zoom = min(4.0, max(1 / (1 + 2 * FURTHEST), self.zoom))
        reach = FURTHEST + (1 - 1 / zoom) / 2
        return View(_clamp(self.right, reach), _clamp(self.down, reach), zoom)


Commands = tuple[tuple[str, ...], ...]


def camera_commands(prompt: str) -> Commands:
    """The commands by their English names, one tuple for each pair of brackets; what is no command is passed over."""
    groups: list[tuple[str, ...]] = []
    for content in _BRACKETS.findall(prompt):
        words = (" ".join(word.lower().split()) for word in _SEPARATORS.split(content))
        if names := tuple(_BY_WORD[word] for word in words if word in _BY_WORD):
            groups.append(names)
    return tuple(groups)


def view_at(commands: Commands, share: float) -> View:
    """The view when `share` (0 to 1) of the film is over. Without commands the camera comes slowly nearer."""
    if not commands:
        return View(zoom=1 + 0.08 * share)
    view = View()
    for index, names in enumerate(commands):
        done = min(1.0, max(0.0, share * len(commands) - index))
        for name in names:
            view = view.add(_moved(name, done))
    return view.kept_inside()


def _moved(name: str, done: float) -> View:
    """What one command adds when `done` (0 to 1) of it is over."""
    eased = (1 - math.cos(math.pi * done)) / 2  # a turning camera starts and stops softly
    match name:
        case "truck left" | "truck right":
            return View(right=_sign(name) * 0.26 * done)
        case "pan left" | "pan right":
            return View(right=_sign(name) * 0.22 * eased)
        case "pedestal up" | "pedestal down":
            return View(down=_sign(name) * 0.26 * done)
        case "tilt up" | "tilt down":
            return View(down=_sign(name) * 0.22 * eased)
        case "push in":
            return View(zoom=1 + 0.4 * done)
        case "pull out":
            return View(zoom=1 / (1 + 0.4 * done))
        case "zoom in":
            return View(zoom=1 + 0.8 * eased)
        case "zoom out":
            return View(zoom=1 / (1 + 0.5 * eased))
        case "shake":
            return View(0.012 * math.sin(61 * done), 0.016 * math.sin(83 * done))
        case "tracking shot":
            return View(right=0.15 * done, zoom=1 + 0.15 * done)
    return View()


def _sign(name: str) -> float:
    return -1.0 if name.endswith(("left", "up")) else 1.0


def _clamp(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))
