"""The assistant's side of a conversation: from the chat model to what the listener heard.

The modules, by what they are for:

    a reply             response, response_events, output_items, plans, reply_plan, gate, answer, failure
    what it asks        chat_request, fitting_chat, fixed_response
    its sound           speech_feed, reply_sound, speaking_rates
    all replies         responses, crossing, playout, sounding, so_far, latency
    one after another   calls, running_tools, tool_rounds, turn_replies
    early, again        speculation, guessed_chat, interrupted, restored, said_before, at_accounts

`response.py` tells the story.
"""
