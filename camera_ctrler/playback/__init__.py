"""Recorded footage shown again: timeline, HLS, clips, pictures, signed links; saved frames in a package of their own.

What a file is made of: boxes, track_runs, fragments. What shows when: recorded, recorded_files, showing. As a stream:
hls, live_windows, playlists, recorded_parts. As a file: export_plan, clip_writer, parameter_sets, exporter, clip_store.
As pictures: moments, recorded_pictures, picture_cache. Nothing here knows HTTP.
"""
