"""Answers of a model that several tests of sessions let it give."""

STORY = [
    (0.1, "Once there was a small dog, and it lived by the sea. "),
    (0.2, "Every day it ran along the beach. "),
]
