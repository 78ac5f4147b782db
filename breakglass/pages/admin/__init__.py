"""The admin of the security team: it shows every record, and drives the procedure by named actions that call its steps."""

from breakglass.pages.admin import incidents, people, records

__all__ = ["incidents", "people", "records"]
