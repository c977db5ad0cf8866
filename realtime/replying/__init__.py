"""The assistant's side of a conversation: from the chat model to what the listener heard."""
