"""What PostgreSQL keeps by itself: references, append-only votes and policies, and the moves that exist."""

from django.db import migrations

MOVES = [
    ("DRAFT", "PROPOSED"),
    ("DRAFT", "WITHDRAWN"),
    ("PROPOSED", "DRAFT"),
    ("PROPOSED", "WITHDRAWN"),
    ("PROPOSED", "APPROVED"),
    ("PROPOSED", "REJECTED"),
    ("PROPOSED", "EXPIRED"),
    ("EXPIRED", "DRAFT"),
    ("EXPIRED", "WITHDRAWN"),
    ("APPROVED", "ENFORCING"),
    ("ENFORCING", "ACTIVE"),
    ("ENFORCING", "FAILED"),
    ("ENFORCING", "LIFTING"),
    ("ENFORCING", "SUPERSEDED"),
    ("FAILED", "ENFORCING"),
    ("FAILED", "ACTIVE"),
    ("FAILED", "LIFTING"),
    ("FAILED", "SUPERSEDED"),
    ("ACTIVE", "LIFTING"),
    ("ACTIVE", "SUPERSEDED"),
    ("ACTIVE", "PERMANENT"),
    ("PERMANENT", "LIFTING"),
    ("PERMANENT", "SUPERSEDED"),
    ("LIFTING", "LIFTED"),
]

SEQUENCE = "CREATE SEQUENCE corrections_reference"

APPEND_ONLY = """
CREATE FUNCTION corrections_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER vote_append_only BEFORE UPDATE OR DELETE ON corrections_vote
    FOR EACH ROW EXECUTE FUNCTION corrections_append_only();
CREATE TRIGGER policy_append_only BEFORE UPDATE OR DELETE ON corrections_policyversion
    FOR EACH ROW EXECUTE FUNCTION corrections_append_only();
"""

KNOWN_MOVES = f"""
CREATE FUNCTION corrections_known_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state || '>' || NEW.state) NOT IN ({", ".join(f"'{a}>{b}'" for a, b in MOVES)}) THEN
        RAISE EXCEPTION 'a correction does not move from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER correction_known_move BEFORE UPDATE OF state ON corrections_correction
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION corrections_known_move();
"""


class Migration(migrations.Migration):
    dependencies = [("corrections", "0001_initial")]

    operations = [
        migrations.RunSQL(SEQUENCE, "DROP SEQUENCE corrections_reference"),
        migrations.RunSQL(
            APPEND_ONLY,
            "DROP TRIGGER vote_append_only ON corrections_vote;"
            "DROP TRIGGER policy_append_only ON corrections_policyversion;"
            "DROP FUNCTION corrections_append_only()",
        ),
        migrations.RunSQL(
            KNOWN_MOVES,
            "DROP TRIGGER correction_known_move ON corrections_correction;"
            "DROP FUNCTION corrections_known_move()",
        ),
    ]
