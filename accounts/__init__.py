"""Users, their tokens, and the endpoints that sign them in and out."""
