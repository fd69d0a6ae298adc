"""Capture: one thread per camera opens its stream, decodes only what will be analysed, and comes back by itself."""
