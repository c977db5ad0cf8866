"""An emulator of the MiniMax platform on this machine, with real speech and without a key.

The modules, by what they are for:

    the sandbox         server, cli, options, clock, control, context, faults, records, extras, threads
    every endpoint      native, fields, refusal, sensitive, inputs, upload_form, json_frames, older_paths
    files and tasks     files, store, links, tar, jobs, callbacks_out
    chat                chat, chat_request, chat_answer, chat_stream, chat_tokens, models, talker, written
    structured answers  schema, schema_fill, schema_pattern, schema_values, schema_words
    chat of Anthropic   anthropic, anthropic_request, anthropic_stream, anthropic_cache
    batches             batch, batch_lines, batch_run
    speech              speech_request, speech_stream, speech_http, speech_socket, speech_ws, speech_bidi,
                        speech_cutter
    narration           narration, narration_text
    how a voice sounds  voice, voice_engine, voice_text, voice_table, voice_traits, voice_samples, natural, encode
    voices              voices, cloning, clone_rules, designing, voice_designs, voice_demo
    recordings as text  transcribe, transcriber
    pictures            image, pictures, picture_words, picture_facts, lettering
    films               video, video_rules, video_v2, video_v2_content, video_v2_media, video_v2_rules,
                        video_v2_tasks, templates, films, film_facts, film_inputs, camera
    music               music, music_rules, covers, cover_audio, songwriting, lyrics, lyrics_words, song_words,
                        song_tags, tunes, instruments, singing

A request's way is the module of its endpoint, `native.py`, `context.py`. It shares no code with the client.
"""
