"""What a reader sees: figures, explorables, players, source, verdicts, chapters and their map.

Machinery that draws, for any lesson. Drawings of one lesson live in its folder of
:mod:`lessons_lib.lessons`; no method lives here, and none imports this.
"""
