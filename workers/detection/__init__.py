"""Frames in, boxes out: one detector per worker, batched over its cameras.

`opening.open_detector` picks the backend; everything else here serves it. Importing this package loads no model
library; each backend imports its own when it is opened, so that a CPU worker never pays for torch.
"""
