"""Attachments and mentions stay as they were sent; messages are found by one and two characters as well."""

from django.db import migrations

# The single characters of Chinese (from U+2E80 on) and all pairs of neighbouring characters, lower case. Text of one
# character is found by the first, anything longer by its pairs: trigrams would miss words of two characters.
GRAMS = """
CREATE FUNCTION message_grams(said text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT coalesce(array_agg(DISTINCT gram), '{}')
  FROM (SELECT c, c || lead(c) OVER (ORDER BY n) AS pair
        FROM unnest(string_to_array(lower(said), NULL)) WITH ORDINALITY AS one(c, n)) AS chars,
  LATERAL (VALUES (CASE WHEN ascii(c) >= 11904 THEN c END), (pair)) AS both_(gram)
  WHERE gram IS NOT NULL
$$
"""


def append_only(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON messaging_{table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        f"DROP TRIGGER {table}_append_only ON messaging_{table}",
    )


class Migration(migrations.Migration):
    dependencies = [("messaging", "0003_talk_that_is_kept")]
    operations = [
        append_only("attachment"),
        append_only("mention"),
        migrations.RunSQL(GRAMS, "DROP FUNCTION message_grams(text)"),
        migrations.RunSQL(
            "CREATE INDEX message_grams_index ON messaging_message USING gin (message_grams(body))",
            "DROP INDEX message_grams_index",
        ),
    ]
