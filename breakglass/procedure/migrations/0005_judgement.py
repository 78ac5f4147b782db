"""A run that the machine cannot decide is decided by a person, once, and is known by it for ever."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

SQL = Path(__file__).resolve().parent.parent / "sql" / "9_judgement.sql"
PROTECT = django.db.models.deletion.PROTECT


class Migration(migrations.Migration):
    dependencies = [
        ("procedure", "0004_incident_report"),
        ("people", "0003_guards"),
        ("recovery", "0003_decided_by"),
    ]
    operations = [
        migrations.CreateModel(
            name="Judgement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("changed", models.BooleanField(help_text="Whether the platform keeps the change.")),
                ("reason", models.TextField()),
                ("machine_said", models.TextField(help_text="Why the machine could not decide.")),
                ("digest", models.CharField(max_length=64)),
                ("account", models.ForeignKey(on_delete=PROTECT, related_name="+", to="people.account")),
                (
                    "execution",
                    models.OneToOneField(on_delete=PROTECT, related_name="judgement", to="procedure.execution"),
                ),
                (
                    "incident",
                    models.ForeignKey(on_delete=PROTECT, related_name="%(class)ss", to="procedure.incident"),
                ),
                ("person", models.ForeignKey(on_delete=PROTECT, related_name="+", to="people.person")),
                ("step_up", models.OneToOneField(on_delete=PROTECT, related_name="+", to="people.stepup")),
            ],
            options={
                "ordering": ("at", "id"),
                "abstract": False,
                "constraints": [models.CheckConstraint(condition=~Q(reason=""), name="judgement_has_a_reason")],
            },
        ),
        migrations.RunSQL(SQL.read_text(), migrations.RunSQL.noop),
    ]
