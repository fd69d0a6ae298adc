"""What is wrong with the farm and what to do, in plain sentences. Pure but for `history`, which remembers."""
