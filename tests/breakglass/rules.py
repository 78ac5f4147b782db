"""How a test asks which rule of the database refused."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction

from breakglass.procedure.faults import broken_rule


@contextmanager
def refused_by(*rules: str) -> Iterator[None]:
    """The block is refused by the database, by one of these constraints or rules, or SQLSTATEs."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    found = {broken_rule(caught.value), getattr(caught.value.__cause__, "sqlstate", "")}
    assert found & set(rules), f"refused, but by {found}: {caught.value}"


def sql(statement: str, *parameters: object) -> None:
    """One statement as the app role."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
