"""A small package of lessons: what the engine's tests check answers against."""
