"""One folder a lesson, beside its notebook in ``book/``: drawings, exercises and verdicts.

``plots.py`` draws what this lesson alone shows; ``exercises.py`` defines ``EXERCISES`` and
``verdicts.py`` ``VERDICTS``, of which ``verdicts/`` holds what was measured. No lesson
imports another, and nothing outside of this package imports a lesson by name.
"""
