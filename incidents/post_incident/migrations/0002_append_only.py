"""What was submitted and signed cannot be changed or removed, by PostgreSQL itself."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION post_incident_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER submission_append_only BEFORE UPDATE OR DELETE ON post_incident_submission
    FOR EACH ROW EXECUTE FUNCTION post_incident_append_only();
CREATE TRIGGER signature_append_only BEFORE UPDATE OR DELETE ON post_incident_signature
    FOR EACH ROW EXECUTE FUNCTION post_incident_append_only();
"""
BACKWARD = """
DROP TRIGGER submission_append_only ON post_incident_submission;
DROP TRIGGER signature_append_only ON post_incident_signature;
DROP FUNCTION post_incident_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("post_incident", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
