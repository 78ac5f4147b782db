"""A run that disables says what was wrong, and disables once; its incident report is a kind of evidence."""

from pathlib import Path

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q

SQL = Path(__file__).resolve().parent.parent / "sql" / "8_disabled_once.sql"
KINDS = [
    ("diagnosis", "diagnosis"),
    ("plan", "plan"),
    ("statements", "exact statements"),
    ("rows", "rows before and after"),
    ("access", "proof that access is gone"),
    ("approvals", "approvals"),
    ("platform_audit", "audit log of the platform"),
    ("backend_log", "backend log lines"),
    ("incident_report", "incident report of what was disabled"),
    ("other", "other"),
]


class Migration(migrations.Migration):
    dependencies = [("procedure", "0003_window_end_recorded")]
    operations = [
        migrations.AddField(
            model_name="execution",
            name="reason",
            field=models.TextField(blank=True, default="", help_text="What was wrong, of a run that disables."),
            preserve_default=False,
        ),
        # Not valid: what was disabled before has no reason, and executions are never edited.
        AddConstraintNotValid(
            model_name="execution",
            constraint=models.CheckConstraint(
                name="disable_says_what_was_wrong", condition=~Q(kind="disable") | ~Q(reason="")
            ),
        ),
        migrations.AlterField(
            model_name="evidenceitem", name="kind", field=models.CharField(choices=KINDS, max_length=16)
        ),
        migrations.RunSQL(SQL.read_text(), migrations.RunSQL.noop),
    ]
