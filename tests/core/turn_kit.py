"""What the tests of turn-taking share: a play of events, and the beginnings of several."""

from realtime.core.turn import (
    AnnounceSpeech,
    DuckReply,
    ReplyBegan,
    ReplyHeard,
    SpeechBegan,
    SpeechGrew,
    StopReply,
    Turn,
    TurnRules,
    step,
)


def play(*events, rules=TurnRules()):
    """The final state and all actions of a sequence of events."""
    turn, actions = Turn(), []
    for event in events:
        turn, new = step(turn, event, rules)
        actions += [action for action in new if not isinstance(action, DuckReply)]  # test_ducking.py
    return turn, actions


REPLYING = (ReplyBegan("r1"), ReplyHeard("r1"))


READS = TurnRules(reads=True)
SHORT = (*REPLYING, SpeechBegan(100, "u1"), SpeechGrew(420))
INTERRUPTS = [AnnounceSpeech(100), StopReply("r1")]
