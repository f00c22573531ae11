"""Drawings and exercises of lesson 10, SGD noise."""
