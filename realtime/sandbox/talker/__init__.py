"""The sandbox's chat model: a small scripted talker, which says so and gives the same answer to the same input."""

from .reply import Reply, reply, text_of
from .tools import Call

__all__ = ["Call", "Reply", "reply", "text_of"]
