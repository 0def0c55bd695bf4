"""Who decides on the depths of a shutdown, and what PostgreSQL keeps of orders and holds by itself."""

from datetime import timedelta

from django.db import migrations

DUTY = ["DUTY_OFFICER", "EXECUTIVE"]
# Minutes to decide and to execute: the graver, the shorter. A halt is asked for when every minute counts;
# what cannot really be taken back may take its time.
CLOCKS = {
    "halt": {"LOW": (120, 5), "HIGH": (30, 5), "CRITICAL": (15, 2)},
    "market_removal": {"LOW": (1440, 15), "HIGH": (480, 10), "CRITICAL": (120, 5)},
    "decommission": {"LOW": (2880, 15), "HIGH": (1440, 10), "CRITICAL": (480, 5)},
}
# Roles, quorum, and who must be among them. Leaving a market needs both offices; a decommissioned model
# is in practice not brought back, so two executives say so.
NEEDED = {
    "halt": (DUTY, 2, ["EXECUTIVE"]),
    "market_removal": (DUTY, 2, ["DUTY_OFFICER", "EXECUTIVE"]),
    "decommission": (["EXECUTIVE"], 2, ["EXECUTIVE"]),
}


def rules():
    for kind, (roles, quorum, include) in NEEDED.items():
        for breadth in ("NARROW", "BROAD"):
            for severity, clocks in CLOCKS[kind].items():
                yield kind, breadth, severity, "IMPOSE", roles, quorum, include, clocks
            yield kind, breadth, "LOW", "LIFT", DUTY, 2, ["EXECUTIVE"], (1440, 15)
            yield kind, breadth, "LOW", "MAKE_PERMANENT", roles, quorum, include, (4320, 15)


def fill(apps, schema_editor):
    AuthorityRule = apps.get_model("corrections", "AuthorityRule")
    AuthorityRule.objects.bulk_create(
        AuthorityRule(
            correction_class="T5",
            kind=kind,
            breadth=breadth,
            minimum_severity=severity,
            action=action,
            roles=roles,
            quorum=quorum,
            must_include=include,
            decide_within=timedelta(minutes=clocks[0]),
            execute_within=timedelta(minutes=clocks[1]),
        )
        for kind, breadth, severity, action, roles, quorum, include, clocks in rules()
    )


def empty(apps, schema_editor):
    apps.get_model("corrections", "AuthorityRule").objects.filter(kind__in=NEEDED).delete()


SEQUENCES = "CREATE SEQUENCE corrections_order_reference; CREATE SEQUENCE corrections_hold_reference;"

WRITTEN_ONCE = """
CREATE TRIGGER destruction_approval_append_only BEFORE UPDATE OR DELETE ON corrections_destructionapproval
    FOR EACH ROW EXECUTE FUNCTION corrections_append_only();
CREATE FUNCTION corrections_order_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state = 'WITHDRAWN'
        OR (OLD.state || '>' || NEW.state) NOT IN ('DRAFTED>ORDERED', 'DRAFTED>WITHDRAWN', 'ORDERED>WITHDRAWN')
        OR (OLD.incident_id, OLD.reference, OLD.model_name, OLD.components, OLD.reason, OLD.narrower_rejected,
            OLD.digest, OLD.authority, OLD.drafted_by_id, OLD.drafted_at) IS DISTINCT FROM
           (NEW.incident_id, NEW.reference, NEW.model_name, NEW.components, NEW.reason, NEW.narrower_rejected,
            NEW.digest, NEW.authority, NEW.drafted_by_id, NEW.drafted_at)
        OR (OLD.ordered_at IS NOT NULL AND NEW.ordered_at IS DISTINCT FROM OLD.ordered_at)
    THEN
        RAISE EXCEPTION 'an order keeps what it says' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER destruction_order_written_once BEFORE UPDATE OR DELETE ON corrections_destructionorder
    FOR EACH ROW EXECUTE FUNCTION corrections_order_written_once();
CREATE FUNCTION corrections_hold_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.released_at IS NOT NULL
        OR (OLD.incident_id, OLD.reference, OLD.model_name, OLD.what, OLD.reason, OLD.placed_by_id, OLD.placed_at)
           IS DISTINCT FROM
           (NEW.incident_id, NEW.reference, NEW.model_name, NEW.what, NEW.reason, NEW.placed_by_id, NEW.placed_at)
    THEN
        RAISE EXCEPTION 'a hold can only be released, once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER evidence_hold_written_once BEFORE UPDATE OR DELETE ON corrections_evidencehold
    FOR EACH ROW EXECUTE FUNCTION corrections_hold_written_once();
"""


class Migration(migrations.Migration):
    dependencies = [("corrections", "0006_wider_levers")]

    operations = [
        migrations.RunPython(fill, empty),
        migrations.RunSQL(
            SEQUENCES, "DROP SEQUENCE corrections_order_reference; DROP SEQUENCE corrections_hold_reference"
        ),
        migrations.RunSQL(
            WRITTEN_ONCE,
            "DROP TRIGGER evidence_hold_written_once ON corrections_evidencehold;"
            "DROP FUNCTION corrections_hold_written_once();"
            "DROP TRIGGER destruction_order_written_once ON corrections_destructionorder;"
            "DROP FUNCTION corrections_order_written_once();"
            "DROP TRIGGER destruction_approval_append_only ON corrections_destructionapproval",
        ),
    ]
