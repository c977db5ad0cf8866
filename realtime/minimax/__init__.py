"""The MiniMax platform's client, usable alone."""
