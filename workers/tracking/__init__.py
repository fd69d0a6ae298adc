"""Boxes in, the same boxes with track ids out: one tracker per camera and assignment."""
