"""The language of profiles: SQL taken apart, sections read, every rule that a profile must keep."""
