"""Who may come in: the user, their tokens, and the endpoints that sign them in and out."""
