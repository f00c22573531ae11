"""Drawings and exercises of lesson 8, Data augmentation."""
