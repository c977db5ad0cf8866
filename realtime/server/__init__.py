"""The aiohttp server: WebSockets, keys, the page, health.

The modules, by what they are for:

    the server          run, app, runtime, state, starting, preloaded, announce, address, tls, load_probe,
                        signal_watch, loop_watch
    several workers     workers, worker, worker_process, worker_channel, supervisor, spread, shared_site, metrics_sum,
                        worker_watch
    connections         listener, runner, tcp, descriptors, arrivals, frames, frame_heads, long_message, token_bucket,
                        client_pace
    a request           front_door, origins, forwarded, callers, answers, access, server_secret
    its address         realtime_endpoint, secrets_endpoint, capabilities_endpoint, voice_samples, conversations,
                        openai_addresses
    the operator        admin, admin_port, readiness
    a session           joining, beginning, live_session, connection, numbering, audio_streams, story, closing,
                        session_ids
    all sessions        registry, room, openings, draining
    on a new socket     resume_request, replay
    at another server   elsewhere, journaling, recording, recorded_changes, recorded_speech, told_messages,
                        restoring, claimed_tools
    what is stored      persistence, saving
    providers           accounts, open_account, wrapped, observed, observed_speech, observed_store, given,
                        offered_voices

A conversation's way in is `realtime_endpoint.py`, `joining.py`, `live_session.py`, `connection.py`.
"""
