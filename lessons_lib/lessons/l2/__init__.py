"""Drawings and exercises of lesson 2, L2."""
