"""Voice detection with Silero v6, run for all conversations of the process at once."""
