"""The sandbox's natural voice for English and Chinese: Kokoro, a small neural model, where it is installed."""
