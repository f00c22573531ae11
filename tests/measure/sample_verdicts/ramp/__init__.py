"""A lesson about effects that fall along a ramp."""
