"""What will be changed, exactly: plans as text, their rows and values, and the plans that undo."""
