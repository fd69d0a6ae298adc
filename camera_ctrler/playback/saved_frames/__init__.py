"""Saved frames shown again: which there are in a range, when each is due, and as MJPEG or MP4."""
