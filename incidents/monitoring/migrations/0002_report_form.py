"""The source of signals that people report on the page for it."""

from django.db import migrations


def add(apps, schema_editor):
    source = apps.get_model("monitoring", "Source")
    source.objects.get_or_create(code="report-form", defaults={"name": "Report form", "kind": "STAFF"})


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
