"""The roles a conversation needs (voice detector, transcriber, chat, speech, store) and who plays them."""
