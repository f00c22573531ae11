"""Drawings and exercises of lesson 11, Fraud detection."""
