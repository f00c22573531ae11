"""Not a lesson: its name begins with an underscore."""
