"""Whether the recovered person can sign in, and has."""
