"""Drawings and exercises of lesson 1, Overfitting."""
