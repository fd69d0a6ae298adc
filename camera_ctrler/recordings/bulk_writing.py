"""Writes many rows at once, the quickest way that the database has: PostgreSQL takes them as one text."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy import JSON, Connection, FromClause, Table, Text, bindparam, cast, column, func, insert, select, update

Row = Mapping[str, Any]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that all have the same columns of a table; what they leave out, the database fills in."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        names = [each.name for each in table.c if each.name in rows[0]]
        given = _given(table, rows)
        connection.execute(insert(table).from_select(names, select(*(given.c[name] for name in names))))
    else:
        connection.execute(insert(table), rows)


def update_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Replace rows, found by their keys, that have every column of a table."""
    if not rows:
        return
    figures = [each.name for each in table.c if not each.primary_key]
    if connection.dialect.name == "postgresql":
        given = _given(table, rows)
        is_same = (each == given.c[each.name] for each in table.primary_key)
        connection.execute(update(table).where(*is_same).values({name: given.c[name] for name in figures}))
        return
    is_named = (each == bindparam(f"its_{each.name}") for each in table.primary_key)
    key = [each.name for each in table.primary_key]
    parameters = [{name: row[name] for name in figures} | {f"its_{name}": row[name] for name in key} for row in rows]
    connection.execute(update(table).where(*is_named), parameters)


def _given(table: Table, rows: Sequence[Row]) -> FromClause:
    """Return the rows as something to select from, sent as one text: the driver is slow with thousands of values."""
    text = cast(bindparam("given_rows", to_json(rows).decode(), Text), JSON)
    names = (column(each.name, each.type) for each in table.c)
    return func.json_to_recordset(text).table_valued(*names).render_derived(name="given", with_types=True)
