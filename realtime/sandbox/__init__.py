"""An emulator of the MiniMax platform on this machine, with real speech and without a key."""
