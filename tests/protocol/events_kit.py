"""Client events for the tests of the codec, and what refuses them."""

from __future__ import annotations

import json

import pytest

from realtime.errors import ProtocolError
from realtime.protocol.codec import decode


def event(kind: str, **fields):
    return decode(json.dumps({"type": kind, **fields}))


def refusal(kind: str, **fields) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        event(kind, event_id="c1", **fields)
    assert caught.value.event_id == "c1"
    assert caught.value.type == "invalid_request_error"
    return caught.value


def create(**item):
    return event("conversation.item.create", item=item).item


def item_refusal(**item) -> ProtocolError:
    return refusal("conversation.item.create", item=item)


def user(*content):
    return {"type": "message", "role": "user", "content": list(content)}
