"""Who did what: an append-only record of changes, exports and logins."""
