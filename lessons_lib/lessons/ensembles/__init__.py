"""Drawings and exercises of lesson 9, Ensembles."""
