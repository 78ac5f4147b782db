"""A user model of its own: people sign in with their e-mail address, their keys are uuids."""
