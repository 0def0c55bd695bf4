"""What was submitted and signed is not emptied by TRUNCATE either."""

from django.db import migrations

from irapp.common.append_only import refuse_truncate


class Migration(migrations.Migration):
    dependencies = [("post_incident", "0002_append_only")]
    operations = [
        refuse_truncate(
            "post_incident_submission", "post_incident_signature", function="post_incident_append_only"
        )
    ]
