"""A run on paper: one guarded script for the bastion, and what was found afterwards."""
