"""One conversation: a session receives events, lets the rules decide, and acts.

The modules, by what they are for:

    the whole           session, shown, defaults
    turns               turn_taking, answering, question, prewarm
    items               items
    time                idle_timer, idle_clock, lifetime, leaving
    at another server   continued, changes_told

`session.py` is the place to begin.
"""
