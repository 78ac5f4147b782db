"""How platforms write passwords: known forms, declared formulas, salts. Pure."""
