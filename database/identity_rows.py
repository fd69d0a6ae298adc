"""What both services ask of rows of identities, inside their transactions."""

from sqlalchemy import Connection, delete, select

from database.identities import identities, sightings, watch_list


def members_of(connection: Connection, identity: str) -> list[str]:
    """Return an identity and all that were merged into it, directly or not; empty: there is none."""
    found = list(connection.scalars(select(identities.c.identity).where(identities.c.identity == identity)))
    newest = found
    while newest:
        merged = select(identities.c.identity).where(identities.c.merged_into.in_(newest))
        newest = [each for each in connection.scalars(merged) if each not in found]
        found = [*found, *newest]
    return found


def drop_if_unused(connection: Connection, identity: str) -> None:
    """Forget an identity that has no sighting and no name, that nobody watches for, and that is no part of a merge."""
    is_used = (
        select(sightings.c.track).where(sightings.c.identity == identity),
        select(watch_list.c.watch).where(watch_list.c.identity == identity),
        select(identities.c.identity).where(identities.c.merged_into == identity),
    )
    if all(connection.execute(query.limit(1)).first() is None for query in is_used):
        table = identities.c
        alone = (table.identity == identity, table.name.is_(None), table.merged_into.is_(None))
        connection.execute(delete(identities).where(*alone))
