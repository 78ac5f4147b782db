"""A first profile for a platform that nobody has described yet."""
