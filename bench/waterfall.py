"""Draws a waterfall diagram of one spoken turn from the marks of the extension `latency`.

Pure SVG, readable on light and dark pages. Measures nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT, TOP, ROW, BAR = 860, 132, 28, 64, 38, 18
BEFORE_MS = 250.0  # shown before the end of speech

_STYLE = """
  svg { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; }
  .ink { fill: #1f2328 } .soft { fill: #59636e } .grid { stroke: #d1d9e0; stroke-width: 1 }
  .zero { stroke: #59636e; stroke-width: 1.5 } .you { fill: #8c959f } .wait { fill: #d4a72c }
  .work { fill: #1f6feb } .voice { fill: #8250df } .sound { fill: #1a7f37 } .faint { opacity: .45 }
  @media (prefers-color-scheme: dark) {
    .ink { fill: #f0f6fc } .soft { fill: #9198a1 } .grid { stroke: #3d444d } .zero { stroke: #9198a1 }
    .you { fill: #656c76 } .wait { fill: #bb8009 } .work { fill: #4493f8 } .voice { fill: #ab7df8 }
    .sound { fill: #3fb950 }
  }
"""


@dataclass(frozen=True)
class _Bar:
    """One bar. Times in ms after the end of speech; `end_ms` None: up to the edge of the diagram."""

    row: str
    kind: str
    start_ms: float
    end_ms: float | None
    label: str
    faint: bool = False


def _bars(marks: Mapping[str, float]) -> list[_Bar]:
    detected = max(0.0, marks["speech_ended"])
    # an answer that was begun early uses an earlier transcript
    transcribed = min(marks["transcript_final"], marks["chat_request"])
    bars = [
        _Bar("you", "you", -BEFORE_MS, 0.0, ""),
        _Bar("turn", "wait", 0.0, detected, "", faint=True),
        _Bar("turn", "wait", detected, marks["turn_confirmed"], "silence that ends the turn"),
        _Bar("transcript", "work", detected, transcribed, ""),
        _Bar("chat model", "work", marks["chat_request"], marks["chat_first_delta"], "first word"),
        _Bar("chat model", "work", marks["chat_first_delta"], marks["first_chunk"], "", faint=True),
        _Bar("voice", "voice", marks["first_chunk"], marks["speech_first_audio"], "first clause"),
        _Bar("to you", "sound", marks["first_audio_sent"], None, "sound"),
    ]
    return [bar for bar in bars if bar.end_ms is None or bar.end_ms >= bar.start_ms]


def svg(title: str, marks: Mapping[str, float]) -> str:
    """The diagram. `marks` needs every mark up to `first_audio_sent`. Raises KeyError if one is missing."""
    bars = _bars(marks)
    rows = list(dict.fromkeys(bar.row for bar in bars))
    last_ms = marks["first_audio_sent"] + 200
    scale = (WIDTH - LEFT - RIGHT) / (last_ms + BEFORE_MS)
    bottom = TOP + ROW * len(rows)

    def x(ms: float) -> float:
        return LEFT + (ms + BEFORE_MS) * scale

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 40}" role="img" '
        f'aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<text class="ink" x="16" y="28" font-size="15" font-weight="600">{escape(title)}</text>',
    ]
    step_ms = 100 if last_ms < 1500 else 250
    for ms in range(0, int(last_ms) + 1, step_ms):
        kind = "zero" if ms == 0 else "grid"
        out.append(f'<line class="{kind}" x1="{x(ms):.1f}" x2="{x(ms):.1f}" y1="{TOP - 12}" y2="{bottom}"/>')
        if ms % (2 * step_ms) == 0:
            label = "0 ms" if ms == 0 else str(ms)
            out.append(
                f'<text class="soft" x="{x(ms):.1f}" y="{bottom + 18}" text-anchor="middle">{label}</text>'
            )
    for number, name in enumerate(rows):
        y = TOP + number * ROW + ROW / 2
        out.append(
            f'<text class="ink" x="{LEFT - 12}" y="{y + 4:.1f}" text-anchor="end">{escape(name)}</text>'
        )
    for bar in bars:
        out += _draw(bar, x, TOP + rows.index(bar.row) * ROW + (ROW - BAR) / 2, last_ms)
    first_ms = marks["first_audio_sent"]
    out.append(
        f'<text class="ink" x="{x(first_ms):.1f}" y="{bottom + 34}" text-anchor="middle" font-weight="600">'
        f"{first_ms:.0f} ms</text></svg>"
    )
    return "\n".join(out) + "\n"


def _draw(bar: _Bar, x: object, y: float, last_ms: float) -> list[str]:
    assert callable(x)
    end_ms = last_ms if bar.end_ms is None else bar.end_ms
    left, right = x(bar.start_ms), x(end_ms)
    kind = bar.kind + (" faint" if bar.faint else "")
    out = [
        f'<rect class="{kind}" x="{left:.1f}" y="{y:.1f}" width="{max(2.0, right - left):.1f}" height="{BAR}" rx="4"/>'
    ]
    lasting = "" if bar.end_ms is None or bar.row == "you" else f"{end_ms - bar.start_ms:.0f} ms"
    label = " ".join(filter(None, (bar.label, lasting)))
    if label and not bar.faint:
        if right + 7.2 * len(label) < WIDTH and bar.end_ms is not None and bar.row != "chat model":
            place, anchor = right + 8, "start"
        else:
            place, anchor = left - 8, "end"
        if bar.row == "you":
            return out
        out.append(
            f'<text class="soft" x="{place:.1f}" y="{y + BAR - 5:.1f}" text-anchor="{anchor}">{escape(label)}</text>'
        )
    return out
