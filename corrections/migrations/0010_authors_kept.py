"""Who had a hand in what stands here already, as the events tell; and what PostgreSQL refuses from now on."""

from django.db import migrations

from irapp.common.append_only import append_only, refuse_truncate

FUNCTION = "corrections_append_only"
ALONE = "LOCK TABLE corrections_proposal IN EXCLUSIVE MODE"
"""Waits for whoever has locked a row to change it, so that neither waits for the other for ever."""
FOUND = """
INSERT INTO corrections_author (correction_id, user_id, did, revision, at)
SELECT correction.id, person.id, CASE event.verb WHEN 'correction.proposed' THEN 'PROPOSED' ELSE 'WROTE' END,
    1 + (SELECT count(*) FROM audit_event AS edit WHERE edit.verb = 'correction.revised'
         AND edit.target_type = event.target_type AND edit.target_id = event.target_id AND edit.id <= event.id),
    event.at
FROM audit_event AS event
JOIN corrections_correction AS correction ON correction.id = event.target_id
JOIN accounts_user AS person ON person.id = event.actor_id
WHERE event.target_type = 'corrections.correction'
    AND event.verb IN ('correction.drafted', 'correction.revised', 'correction.proposed')
ORDER BY event.id;
INSERT INTO corrections_author (correction_id, user_id, did, revision, at)
SELECT id, drafted_by_id, 'WROTE', revision, drafted_at FROM corrections_correction AS correction
WHERE NOT EXISTS (SELECT 1 FROM corrections_author AS author WHERE author.correction_id = correction.id
    AND author.user_id = correction.drafted_by_id AND author.did = 'WROTE');
UPDATE corrections_proposal AS proposal SET barred = coalesce(
    (SELECT jsonb_object_agg(hand.user_id, hand.did) FROM (
        SELECT author.user_id, min(author.did) AS did FROM corrections_author AS author
        WHERE proposal.action = 'IMPOSE' AND author.correction_id = proposal.correction_id
            AND author.at <= proposal.proposed_at
        GROUP BY author.user_id) AS hand),
    '{}') || jsonb_build_object(proposal.proposer_id, 'PROPOSED');
"""
WRITTEN_ONCE = """
CREATE FUNCTION corrections_proposal_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR
        (OLD.correction_id, OLD.action, OLD.payload, OLD.digest, OLD.authority, OLD.barred, OLD.impact,
         OLD.reason, OLD.proposer_id, OLD.proposed_at) IS DISTINCT FROM
        (NEW.correction_id, NEW.action, NEW.payload, NEW.digest, NEW.authority, NEW.barred, NEW.impact,
         NEW.reason, NEW.proposer_id, NEW.proposed_at)
    THEN
        RAISE EXCEPTION 'a proposal keeps what it says' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER proposal_written_once BEFORE UPDATE OR DELETE ON corrections_proposal
    FOR EACH ROW EXECUTE FUNCTION corrections_proposal_written_once();
"""


class Migration(migrations.Migration):
    dependencies = [("corrections", "0009_authors"), ("audit", "0003_search")]

    operations = [
        migrations.RunSQL(ALONE, migrations.RunSQL.noop),
        append_only("corrections_author", function=FUNCTION),
        migrations.RunSQL(FOUND, migrations.RunSQL.noop),
        migrations.RunSQL(
            WRITTEN_ONCE,
            "DROP TRIGGER proposal_written_once ON corrections_proposal;"
            "DROP FUNCTION corrections_proposal_written_once()",
        ),
        refuse_truncate(
            "corrections_vote",
            "corrections_policyversion",
            "corrections_destructionapproval",
            "corrections_destructionorder",
            "corrections_evidencehold",
            "corrections_proposal",
            function=FUNCTION,
        ),
    ]
