"""What PostgreSQL keeps by itself: references that never repeat, and content that is never changed in place."""

from django.db import migrations

SEQUENCES = "CREATE SEQUENCE segments_segment_reference; CREATE SEQUENCE segments_patternset_reference"
NO_SEQUENCES = "DROP SEQUENCE segments_segment_reference; DROP SEQUENCE segments_patternset_reference"
TABLES = ("attachment", "segmentversion", "packing", "patternsetversion")

FORWARD = """
CREATE FUNCTION segments_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
""" + "".join(
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON segments_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION segments_append_only();
"""
    for table in TABLES
)
BACKWARD = (
    "".join(f"DROP TRIGGER {table}_append_only ON segments_{table};" for table in TABLES)
    + "DROP FUNCTION segments_append_only();"
)


class Migration(migrations.Migration):
    dependencies = [("segments", "0001_initial")]
    operations = [
        migrations.RunSQL(SEQUENCES, NO_SEQUENCES),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
