"""A lesson of the tests."""
