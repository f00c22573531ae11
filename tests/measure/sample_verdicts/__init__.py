"""Lessons of another package, with verdicts whose answers are known."""
