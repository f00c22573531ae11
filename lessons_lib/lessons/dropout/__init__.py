"""Drawings and exercises of lesson 5, Dropout."""
