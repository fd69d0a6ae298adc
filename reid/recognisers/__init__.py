"""What looks at crops and says something of them; each by the same protocol."""
