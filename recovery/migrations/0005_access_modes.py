"""A pre-made role serves one access after the other; a run on paper keeps its sealed script until it is decided."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("recovery", "0004_mode")]
    operations = [
        migrations.AlterField("access", "role_name", models.CharField(max_length=63)),
        migrations.AddConstraint(
            "access",
            models.UniqueConstraint(
                fields=["role_name"],
                condition=~Q(role_name__startswith="breakglass_temp_"),
                name="one_access_for_each_role",
            ),
        ),
        migrations.CreateModel(
            name="PaperScript",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "until",
                    models.DateTimeField(help_text="By the platform's clock the script refuses from this moment on."),
                ),
                ("sha256", models.CharField(help_text="Of the script as it was shown.", max_length=64)),
                ("fingerprints", models.TextField()),
                ("nonce", models.BinaryField(max_length=12)),
                ("sealed", models.BinaryField()),
                ("made_at", models.DateTimeField()),
                ("wiped_at", models.DateTimeField(null=True)),
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="paper", to="recovery.run"
                    ),
                ),
            ],
        ),
    ]
