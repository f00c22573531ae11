"""What a person types in a shell: ``overfit read``, ``lab``, ``doctor``, ``grade``.

One module a subcommand, each with ``add_arguments(parser)`` and ``run(arguments) -> int``, the exit
code: 0 if all went well, 1 if not, 2 for a call that cannot be understood.
"""

from lessons_lib.command.main import main

__all__ = ["main"]
