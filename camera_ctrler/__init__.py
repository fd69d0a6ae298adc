"""Decides which worker watches which camera, and answers people: registry, manager, API, playback."""
