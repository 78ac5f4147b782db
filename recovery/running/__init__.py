"""The change itself, crash-safe over two databases, and what became of it."""
