"""A faithful MiniMax platform on this machine, with real speech and no key."""
