"""Cameras for people who have none at hand: real footage, served in endless loops by a real RTSP server."""
