"""One folder a lesson, beside its notebook in ``book/``: its drawings and its exercises.

``plots.py`` draws what this lesson alone shows; ``exercises.py`` defines ``EXERCISES``. No lesson
imports another, and nothing outside of this package imports a lesson by name.
"""
