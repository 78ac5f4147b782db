"""How the console gets in for one run: rights, the DBA's script, mandates, temporary logins, and the proof that they are gone."""
