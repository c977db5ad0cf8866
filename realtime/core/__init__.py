"""The pure ground floor: audio, endpointing, turn, chunker, conversation. No socket, task or clock."""
