"""Drawings and exercises of the conventions' page."""
