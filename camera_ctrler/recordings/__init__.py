"""Footage that workers have recorded: its index in SQL, and what keeps index and volume equal."""
