"""The console's own sign-in after a change is kept whatever it says, and may be the proof. See procedure/sql/12_login_check.sql."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql" / "12_login_check.sql"
PROTECT = django.db.models.deletion.PROTECT
HOW = [
    ("seen", "seen on the platform"),
    ("confirmed", "confirmed by a person"),
    ("checked", "tried by the console"),
]
KINDS = [
    ("diagnosis", "diagnosis"),
    ("plan", "plan"),
    ("statements", "exact statements"),
    ("rows", "rows before and after"),
    ("access", "proof that access is gone"),
    ("approvals", "approvals"),
    ("platform_audit", "audit log of the platform"),
    ("proof", "proof of the sign-in"),
    ("backend_log", "backend log lines"),
    ("incident_report", "incident report of what was disabled"),
    ("other", "other"),
]


class Migration(migrations.Migration):
    dependencies = [("procedure", "0007_paper")]
    operations = [
        migrations.CreateModel(
            name="LoginCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("verdict", models.CharField(max_length=16)),
                ("facts", models.TextField()),
                ("noted_at", models.DateTimeField(null=True)),
                ("noted", models.TextField(blank=True)),
                ("at", models.DateTimeField()),
                (
                    "execution",
                    models.ForeignKey(on_delete=PROTECT, related_name="login_checks", to="procedure.execution"),
                ),
                (
                    "incident",
                    models.ForeignKey(on_delete=PROTECT, related_name="login_checks", to="procedure.incident"),
                ),
            ],
            options={"ordering": ("id",)},
        ),
        migrations.AlterField("signinproof", "how", models.CharField(choices=HOW, max_length=9)),
        migrations.AlterField("evidenceitem", "kind", models.CharField(choices=KINDS, max_length=16)),
        migrations.RunSQL(SQL.read_text(), migrations.RunSQL.noop),
    ]
