"""Drawings and exercises of lesson 3, L1."""
