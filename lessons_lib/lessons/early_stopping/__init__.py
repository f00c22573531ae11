"""Drawings and exercises of lesson 7, Early stopping."""
