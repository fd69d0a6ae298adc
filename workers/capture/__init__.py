"""Packets in, due frames out: one thread per camera opens, reads, decodes what will be looked at, and comes back."""
