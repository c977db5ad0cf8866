"""Answers in text from the results of tool calls."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .language import Language, sentence

MAX_LEAVES = 8
_OK = {"ok", "success", "done", "true", "completed"}
_EMPTY: tuple[Any, ...] = (None, "", {}, [])


def answer_results(messages: Sequence[Mapping[str, Any]], language: Language) -> str:
    """One sentence for each result since the last question, with the subject of its call."""
    since = list(itertools.takewhile(lambda message: message.get("role") != "user", reversed(messages)))[::-1]
    results = [message for message in since if message.get("role") == "tool"]
    calls = [call for message in since for call in message.get("tool_calls") or ()]
    by_id = {call.get("id"): call.get("function") or {} for call in calls}
    lines = [_line(by_id.get(result.get("tool_call_id"), {}), result, language) for result in results]
    return ("" if language == "zh" else " ").join(lines)


def _line(call: Mapping[str, Any], result: Mapping[str, Any], language: Language) -> str:
    subject = _subject(call, language)
    content = result.get("content")
    if isinstance(content, list):
        content = " ".join(part.get("text", "") for part in content if isinstance(part, Mapping))
    value = _decoded(content)
    error = value.get("error") if isinstance(value, Mapping) else None
    if error:
        text = str(error.get("message", error)) if isinstance(error, Mapping) else str(error)
        return sentence(f"这没有成功：{text}" if language == "zh" else f"That did not work: {text}", language)
    if _is_plain_success(value):
        return sentence(
            f"好的，已经完成{subject}" if language == "zh" else f"Done{subject and ' ' + subject}", language
        )
    spoken = _spoken(value, language)
    if isinstance(value, str) and len(spoken.split()) > 3:
        return sentence(spoken, language)
    if language == "zh":
        return sentence(f"{subject or '结果是'}：{spoken}".replace("：：", "："), language)
    lead = f"{subject}: " if subject else "The result is "
    return sentence(lead + spoken, language)


def _is_plain_success(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_plain_success(inner) for inner in value.values())
    return value in _EMPTY or value is True or (isinstance(value, str) and value.lower() in _OK)


def _subject(call: Mapping[str, Any], language: Language) -> str:
    """`for Paris` from the call's first short text argument."""
    arguments = _decoded(call.get("arguments"))
    if not isinstance(arguments, Mapping):
        return ""
    texts = [value for value in arguments.values() if isinstance(value, str) and 0 < len(value) <= 40]
    if not texts:
        return ""
    return texts[0] if language == "zh" else f"for {texts[0]}"


def _decoded(content: Any) -> Any:
    if not isinstance(content, str):
        return content
    try:
        return json.loads(content)
    except ValueError:
        return content.strip()


def _spoken(value: Any, language: Language) -> str:
    leaves: list[str] = []
    _collect(value, "", leaves, language)
    return ("，" if language == "zh" else ", ").join(leaves[:MAX_LEAVES])


def _collect(value: Any, name: str, leaves: list[str], language: Language) -> None:
    match value:
        case Mapping():
            for key, inner in value.items():
                _collect(inner, _words(str(key)), leaves, language)
        case list() | tuple():
            for inner in value:
                _collect(inner, name, leaves, language)
        case bool():
            yes = ("是" if value else "否") if language == "zh" else ("yes" if value else "no")
            leaves.append(f"{name} {yes}".strip())
        case None:
            pass
        case _:
            leaves.append(f"{name} {value}".strip())


def _words(key: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key).replace("_", " ").strip()
