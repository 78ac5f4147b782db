"""Recoveries on real software: each is installed, locked out, recovered by a drill and asked whether it accepts its owner again.

Slow and not part of `make test`: `make platforms`. Everything listens on 127.0.0.1 or on a private socket.
"""
