"""What happens to a frame, in one process: capture, detection, tracking, saving; they meet in `pipeline`."""
