"""Motion: what of a picture moves, and what of it the detector is to look at."""
