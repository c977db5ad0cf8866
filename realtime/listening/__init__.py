"""The user's side of a conversation: from audio to committed items with their text.

The modules, by what they are for:

    the whole           user_input, segment, user_items
    sound               audio_input, missing_sound, quiet_voice, echo
    text                transcription, decoding, speech_text, certainty, second_opinion, spoken_language
    long speech         long_speech, carried
    the end of a turn   end_of_turn
    at another server   comes_again

`user_input.py` is the place to begin.
"""
