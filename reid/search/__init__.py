"""Answers searches: by track, by identity, by an uploaded picture."""
