"""Drawings and exercises of lesson 12, Boosting."""
