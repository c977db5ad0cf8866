"""Rows of text in columns, for stdout: aligned on a terminal, with tabs in between for other programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from realtime_client.columns import columns


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, aligned: bool | None = None) -> list[str]:
    """The lines of a table. `aligned` is whether stdout is a terminal unless given; only then there is a head."""
    if aligned is None:
        aligned = sys.stdout.isatty()
    clean = [
        tuple(" ".join(cell.split()) if column else cell for column, cell in enumerate(row)) for row in rows
    ]
    if not aligned:
        return ["\t".join(row) for row in clean]
    everything = [tuple(head), *clean] if clean else []
    widths = [max(map(columns, column)) for column in zip(*everything, strict=True)]
    return [
        "  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in everything
    ]


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - columns(cell))
