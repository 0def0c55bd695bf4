"""The seven roles that rules speak of. Names and descriptions may be changed afterwards; they are data."""

from django.db import migrations

ROLES = [
    ("RESPONDER", "Responder", "Triages signals, opens incidents and works on them."),
    ("COMMANDER", "Incident commander", "Leads an incident through its stages and proposes corrections."),
    ("DUTY_OFFICER", "Duty officer", "Decides on corrections at any hour."),
    ("EXECUTIVE", "Executive", "Decides on corrections that reach furthest."),
    ("COMMUNICATOR", "Communicator", "Tells customers, partners and authorities."),
    ("AUDITOR", "Auditor", "Reads everything, signs after-action reports, changes nothing else."),
    ("ADMINISTRATOR", "Administrator", "Gives and takes roles and sees to the installation."),
]


def add(apps, schema_editor):
    role = apps.get_model("accounts", "Role")
    for code, name, description in ROLES:
        role.objects.get_or_create(code=code, defaults={"name": name, "description": description})


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
