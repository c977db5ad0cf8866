"""The provider roles of a conversation (voice detector, transcriber, chat, speech, store) and the providers."""
