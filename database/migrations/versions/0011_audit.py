"""Who did what: a table that only grows, and the triggers that see to it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

#: Rows younger than this are not deleted by anybody; FARM_AUDIT_KEEP is never less.
_DAYS = 30
_SECONDS = _DAYS * 86_400
_CHANGED = "the audit is append-only: nothing of it is changed"
_REFUSE_CHANGE = f"SELECT RAISE(ABORT, '{_CHANGED}')"
_CUT = f"the audit is append-only: nothing of its last {_DAYS} days is deleted"


def upgrade() -> None:
    """Make the table and its triggers."""
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("what", sa.String(512), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
    )
    op.create_index("ix_audit_at", "audit", ["at_ms"])
    op.create_index("ix_audit_actor", "audit", ["actor", "number"])
    op.create_index("ix_audit_action", "audit", ["action", "number"])
    statements = _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL
    for statement in statements:
        op.execute(statement)


_SQLITE = (
    f"CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN {_REFUSE_CHANGE}; END",
    # INSERT OR REPLACE deletes without a trigger that hears of it.
    "CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit WHEN EXISTS "  # noqa: S608 - of constants
    f"(SELECT 1 FROM audit WHERE number = NEW.number) BEGIN {_REFUSE_CHANGE}; END",
    "CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit "
    f"WHEN OLD.at_ms > (strftime('%s', 'now') - {_SECONDS}) * 1000 "
    f"BEGIN SELECT RAISE(ABORT, '{_CUT}'); END",
)

_POSTGRESQL = (
    "CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    f"IF TG_OP = 'UPDATE' THEN RAISE EXCEPTION '{_CHANGED}'; END IF; "
    "IF TG_OP = 'TRUNCATE' OR OLD.at_ms > "
    f"(extract(epoch FROM clock_timestamp()) - {_SECONDS}) * 1000 THEN RAISE EXCEPTION '{_CUT}'; END IF; "
    "RETURN OLD; END $$",
    "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_only_grows()",
    "CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()",
)


def downgrade() -> None:
    """Drop it."""
    op.drop_table("audit")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION audit_only_grows()")
