"""Calls of tools as a model writes them into its text when its server does not read them out (docs/minimax/chat.md 4).

Knows the forms of the chat templates. Does not know when a call is written so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .talker import Call

_NS = "]<]minimax[>["


def written(calls: Sequence[Call], form: str) -> str:
    """The calls as text. `form` is one of `faults.FORMS`; `open` is that of M2 without any closing tag."""
    match form:
        case "m1":
            return "<tool_calls>\n" + "\n".join(_as_json(call) for call in calls) + "\n</tool_calls>"
        case "m3":
            inner = "\n".join(_tagged(call) for call in calls)
            return f"{_NS}<tool_call>\n{inner}\n{_NS}</tool_call>"
        case "text01":
            lines = "\n".join(f"functions.{call.name}({_json(call.arguments)})" for call in calls)
            return f"<function_call>```typescript\n{lines}\n```"
        case "fence":
            return f"```xml\n{_wrapped(calls)}\n```"
        case "open":
            text = _wrapped(calls)
            return text[: text.rindex("</parameter>")] if "</parameter>" in text else text
        case _:
            return _wrapped(calls)


def _wrapped(calls: Sequence[Call]) -> str:
    inner = "\n".join(_invoke(call) for call in calls)
    return f"<minimax:tool_call>\n{inner}\n</minimax:tool_call>"


def _invoke(call: Call) -> str:
    lines = [
        f'<parameter name="{name}">{_plain(value)}</parameter>' for name, value in call.arguments.items()
    ]
    return "\n".join([f'<invoke name="{call.name}">', *lines, "</invoke>"])


def _tagged(call: Call) -> str:
    inner = "".join(f"{_NS}<{name}>{_plain(value)}{_NS}</{name}>" for name, value in call.arguments.items())
    return f'{_NS}<invoke name="{call.name}">{inner}{_NS}</invoke>'


def _as_json(call: Call) -> str:
    return _json({"name": call.name, "arguments": call.arguments})


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
