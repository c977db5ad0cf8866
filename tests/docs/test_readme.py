"""The Python of the README's section about the platform runs as it stands, against the sandbox."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox

ROOT = Path(__file__).parents[2]
SECTIONS = [("README.md", "## The rest of the platform"), ("README.zh.md", "## 平台的其余部分")]


def blocks(page: str, heading: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    section = text[text.index(heading) :].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


CASES = [block for page, heading in SECTIONS for block in blocks(page, heading)]


@pytest.mark.parametrize("block", CASES)
async def test_the_examples_of_the_platform_run(block: str, tmp_path, monkeypatch):
    options = SandboxOptions.parse("local", ["video.prepare_s=0", "video.queue_s=0", "video.process_s=0"])
    async with Sandbox(options) as sandbox:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("MINIMAX_BASE_URL", sandbox.url)
        monkeypatch.delenv("MINIMAX_API_KEY", raising=False)
        scope: dict[str, Any] = {}
        exec(f"async def example():\n{textwrap.indent(block, '    ')}", scope)
        await scope["example"]()
        assert sandbox.state.requests or "Sandbox()" in block  # a CI's example has a sandbox of its own
        for name in re.findall(r'save\("([^"]+)"', block):
            assert (tmp_path / name).stat().st_size > 1000, name


def test_the_readme_has_examples_for_programs_and_for_a_ci():
    assert len(CASES) == 3
