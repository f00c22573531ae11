"""Drawings and exercises of lesson 4, Elastic Net."""
