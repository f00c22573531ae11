"""Drawings and exercises of lesson 13, Transformers and grokking."""
