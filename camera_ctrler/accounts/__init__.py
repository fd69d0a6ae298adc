"""Who may use the farm: users, sessions, tokens, and what each may see."""
