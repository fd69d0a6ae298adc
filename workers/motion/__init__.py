"""Motion: how much of a picture has moved."""
