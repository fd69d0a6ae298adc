"""Turns crops into embeddings."""
