"""One blueprint per resource; a handler asks one part and shapes the answer."""
