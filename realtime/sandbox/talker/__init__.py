"""The sandbox's chat model: a small scripted talker, which says so and gives the same answer to the same input.

The modules, by what they are for:

    the whole           reply, language
    what it can say     stories, sums, numbers, clock, memory, going_on
    tools               tools, arguments, places, results
"""

from .reply import Reply, reply, text_of
from .tools import Call

__all__ = ["Call", "Reply", "reply", "text_of"]
