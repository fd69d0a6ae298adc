"""Decides whether what was seen is somebody known. Pure."""
