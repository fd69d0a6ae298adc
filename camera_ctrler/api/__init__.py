"""Answers people: the HTTP API, its documentation page and the status wall.

Handlers here ask the registry, Redis and the frames volume and shape what they say; they decide nothing about
which worker watches what, and they never open a camera.
"""
