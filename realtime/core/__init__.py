"""The pure ground floor: the rules of a conversation. No socket, no task, no clock; time is an argument.

The modules, by what they are for:

    turns               turn, turn_state, turn_events, turn_actions, turn_interruptions, turn_answers, turn_marks,
                        interruption, stopped_reply
    their words         backchannels, turn_words, leading_words, short_words, short_answers, short_language,
                        likely_murmurs, folding, han_variants, han_readings, essence, agreement, invented,
                        video_phrases, syllables, laughter
    the end of a turn   turn_end, completeness, asked_answers, choices, yes_or_no, hesitations, han_endings,
                        whole_amounts, spelled_out, spelled_addresses, number_requests, silences, guess_pause
    sound               audio, audio_buffer, sound_pieces, channels, resample, g711
    who speaks          endpointing, energy_gate, near_voice, echo, echo_search, echo_text,
                        heard_units, sent_sound
    the conversation    conversation, items, item_room, making_room, messages, history, shown_from, fitting,
                        cut_messages, cut_text, context_budgets, writable
    what was heard      spoken, spoken_chunk, heard_speech, playback
    what to say         normalize, wording, spoken_form, markup, markup_reader, inline_markup, html_tags, stand_in
    where to cut it     chunker, clauses, full_stops, languages, punctuation, segments, wordbreak, characters,
                        unicode_tables, chinese_words, scripts
    when to say it      playback_clock, prebuffer
    room for one more   admission, account, dry_account, quota, own_part
    at another server   snapshot, word_marks
    voices              sample_sentences

`turn.py` is the place to begin. How numbers, dates and units are read is left to the voice: the platform does it
(`text_normalization` in `minimax/speech_fields.py`).
"""
