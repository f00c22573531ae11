"""Drawings and exercises of lesson 6, Batch normalization."""
