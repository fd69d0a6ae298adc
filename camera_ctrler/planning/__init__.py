"""Who watches what: the pure plan, the costs it reckons with, and how it gets into Redis."""
