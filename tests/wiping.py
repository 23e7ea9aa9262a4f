"""What tests that commit leave behind is deleted, and what the migrations had put in is put back.

Django's own way, TRUNCATE of every table and all content types and permissions made anew, takes over a second for
every such test; most of them fill a dozen tables of two hundred.
"""

from django.db import connection

SCHEMA = "as_migrated"
APART = ("django_migrations", "spatial_ref_sys")

TABLES = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
"""
COLUMNS = """
SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'
"""


def _filled(cursor) -> list[str]:
    cursor.execute(TABLES)
    names = [name for (name,) in cursor.fetchall() if name not in APART]
    cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in names))
    return [name for (name,) in cursor.fetchall()]


def remember() -> None:
    """Copies what the migrations put in, once per database, before the first test that commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace(%s) IS NOT NULL", [SCHEMA])
        if cursor.fetchone()[0]:
            return
        copies = "".join(f'CREATE TABLE {SCHEMA}."{name}" AS TABLE public."{name}";' for name in _filled(cursor))
        cursor.execute(f"BEGIN; CREATE SCHEMA {SCHEMA}; {copies} COMMIT")


def wipe() -> None:
    """Deletes all rows and puts the remembered ones back, past triggers and foreign keys, in one transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [SCHEMA])
        kept = [name for (name,) in cursor.fetchall()]
        acts = [f'DELETE FROM "{name}"' for name in sorted({*_filled(cursor), *kept})]
        for name in kept:
            cursor.execute(COLUMNS, [name])
            columns = cursor.fetchone()[0]
            acts.append(f'INSERT INTO "{name}" ({columns}) SELECT {columns} FROM {SCHEMA}."{name}"')
        cursor.execute("; ".join(["BEGIN", "SET LOCAL session_replication_role = replica", *acts, "COMMIT"]))
