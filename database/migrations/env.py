"""Runs migrations on the connection that `engine.migrate` hands over."""

from alembic import context

from database.base import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
