"""Chooses, of all sightings of a tracked object, the few crops that it can be recognised from."""
