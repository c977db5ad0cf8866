"""A client of the wire: connection, microphone, speaker, terminal."""
