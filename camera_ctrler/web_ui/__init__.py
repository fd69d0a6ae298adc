"""Serves the web UI that was built from `web/`: pages of the UI, and its files."""
