"""The user's side of a conversation: from audio to committed items with their text."""
