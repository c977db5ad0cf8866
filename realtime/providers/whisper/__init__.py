"""Local transcription with Whisper models."""
