"""The prompt cache that the usage of an Anthropic-style answer tells about (docs/minimax/anthropic.md 1).

M2.x caches up to the last `cache_control` mark for five minutes; M3 caches by itself from 512 tokens. Only counts:
nothing gets faster.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .chat_tokens import count_tokens

LIFETIME_S = 300.0
LEAST_TOKENS = 512  # M3
MAX_ENTRIES = 2000


@dataclass(frozen=True, slots=True)
class Cached:
    """Tokens of one prompt: written to the cache, and read from it."""

    created: int = 0
    read: int = 0


NOTHING_CACHED = Cached()


@dataclass(frozen=True, slots=True)
class _Prefix:
    key: str
    tokens: int
    marked: bool


@dataclass(slots=True)
class PromptCache:
    """The known beginnings of prompts, and until when each is kept. `now_s` is any clock that never goes back."""

    _until_s: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def look_up(self, body: Mapping[str, Any], now_s: float) -> Cached:
        """What of this prompt was known; its beginnings are known from now on."""
        automatic = str(body.get("model")).startswith("MiniMax-M3")
        prefixes = [p for p in _prefixes(body) if (p.tokens >= LEAST_TOKENS if automatic else p.marked)]
        known = [p.tokens for p in prefixes if self._until_s.get(p.key, 0.0) > now_s]
        read = max(known, default=0)
        for prefix in prefixes:
            self._until_s[prefix.key] = now_s + LIFETIME_S
            self._until_s.move_to_end(prefix.key)
        while len(self._until_s) > MAX_ENTRIES:
            self._until_s.popitem(last=False)
        created = 0 if automatic else max((p.tokens for p in prefixes), default=0) - read
        return Cached(created, read)


def _prefixes(body: Mapping[str, Any]) -> Iterator[_Prefix]:
    """The prompt up to each of its blocks."""
    digest = hashlib.sha256(str(body.get("model")).encode())
    tokens = 0
    for role, block in _blocks(body):
        bare = {key: value for key, value in block.items() if key not in ("cache_control", "signature")}
        digest.update(json.dumps([role, bare], sort_keys=True).encode())
        tokens += count_tokens(_counted(bare))
        yield _Prefix(digest.hexdigest(), tokens, bool(block.get("cache_control")))


def _counted(block: Mapping[str, Any]) -> str:
    """What of a block is counted as text: no old thinking, no picture."""
    match block.get("type"):
        case "text" | "mid_conv_system":
            return str(block.get("text", ""))
        case "thinking" | "image" | "video":
            return ""
        case "tool_result":
            content = block.get("content")
            parts = content if isinstance(content, list) else [{"text": content or ""}]
            return " ".join(str(part.get("text", "")) for part in parts)
        case _:
            return json.dumps(block)


def _blocks(body: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    parts = [("tools", body.get("tools")), ("system", body.get("system"))]
    parts += [(message["role"], message["content"]) for message in body["messages"]]
    for role, content in parts:
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content or ()
        yield from ((role, block) for block in blocks)
