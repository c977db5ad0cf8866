"""The sandbox's chat model: small, scripted, honest about it, and the same for the same input."""

from .reply import Reply, reply, text_of
from .tools import Call

__all__ = ["Call", "Reply", "reply", "text_of"]
