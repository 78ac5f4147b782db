"""The worker notes once per window that its end was told; an index finds those that are left."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("procedure", "0002_guards")]
    operations = [
        migrations.AddField(model_name="window", name="end_recorded_at", field=models.DateTimeField(null=True)),
        migrations.AddIndex(
            model_name="window",
            index=models.Index(
                condition=models.Q(("end_recorded_at", None)), fields=["id"], name="window_end_not_recorded"
            ),
        ),
    ]
