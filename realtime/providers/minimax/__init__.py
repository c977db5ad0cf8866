"""The providers that use the MiniMax platform."""
