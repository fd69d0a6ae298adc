"""Recording: writes each camera's own packets to the frames volume, whatever becomes of their analysis."""
