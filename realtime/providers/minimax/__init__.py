"""The roles of a conversation played by the MiniMax platform."""
