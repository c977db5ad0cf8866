"""The wire protocol: typed OpenAI Realtime (GA) events and their JSON and binary forms. No socket, no clock.

The modules, by what they are for:

    events              client_events, server_events, objects
    from and to JSON    codec, client_json, raw_events, broken_events, checks, items, echo
    binary              framing
    a session           session_config, session_values, capabilities, voices
    a response          response_options, kept_options

An event of a client goes through `codec.py` into a class of `client_events.py`.
"""
