"""Talk with MiniMax in real time."""

__version__ = "0.1.0"
