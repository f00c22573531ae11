"""The drawings of the lessons, one module a lesson; each returns a figure for ``figures.show``."""
