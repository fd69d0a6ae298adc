"""Keeps analysed frames as JPEG files on the shared volume, and makes previews."""
