"""The authority matrix to begin with; administrators adapt it."""

from datetime import timedelta

from django.db import migrations

DUTY = ["DUTY_OFFICER", "EXECUTIVE"]
# Minutes to decide and to execute: the graver, the shorter.
CLOCKS = {"LOW": (480, 15), "HIGH": (120, 10), "CRITICAL": (30, 5)}


def _imposing(correction_class, breadth):
    if correction_class == "T5":
        return 2, ["EXECUTIVE"]
    if correction_class == "T4" or breadth == "BROAD":
        return 2, []
    return 1, []


def rules():
    for correction_class in ("T1", "T2", "T3", "T4", "T5"):
        for breadth in ("NARROW", "BROAD"):
            quorum, include = _imposing(correction_class, breadth)
            for severity, clocks in CLOCKS.items():
                yield correction_class, breadth, severity, "IMPOSE", quorum, include, clocks
            # Giving service back is never so urgent, and never easier than taking it away.
            yield correction_class, breadth, "LOW", "LIFT", quorum, include, (1440, 15)
            yield correction_class, breadth, "LOW", "MAKE_PERMANENT", 2, ["EXECUTIVE"], (4320, 15)


def fill(apps, schema_editor):
    AuthorityRule = apps.get_model("corrections", "AuthorityRule")
    AuthorityRule.objects.bulk_create(
        AuthorityRule(
            correction_class=correction_class,
            breadth=breadth,
            minimum_severity=severity,
            action=action,
            roles=DUTY,
            quorum=quorum,
            must_include=include,
            decide_within=timedelta(minutes=clocks[0]),
            execute_within=timedelta(minutes=clocks[1]),
        )
        for correction_class, breadth, severity, action, quorum, include, clocks in rules()
    )


class Migration(migrations.Migration):
    dependencies = [("corrections", "0002_invariants")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
