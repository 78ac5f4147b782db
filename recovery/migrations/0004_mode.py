"""How the console got in for a change: through doors, through a role that the DBA opened, or not at all (on paper)."""

from django.db import migrations, models
from django.db.models import Q

MODES = [
    ("doors", "doors that open for a mandate"),
    ("premade", "a role that the database administrator opens and closes"),
    ("paper", "a script for the bastion; the console changes nothing itself"),
]
KNOWS_ITS_TRANSACTION = ~Q(xid="") & ~Q(timeline="") & ~Q(planned_after="")


class Migration(migrations.Migration):
    dependencies = [("recovery", "0003_decided_by")]
    operations = [
        migrations.AddField("run", "mode", models.CharField(choices=MODES, default="doors", max_length=8)),
        migrations.RemoveConstraint("run", "run_prepared_knows_its_transaction"),
        migrations.AddConstraint(
            "run",
            models.CheckConstraint(
                name="run_prepared_knows_its_transaction",
                condition=~Q(state="prepared") | Q(mode="paper") | KNOWS_ITS_TRANSACTION,
            ),
        ),
        migrations.AddConstraint(
            "run", models.CheckConstraint(name="run_mode_is_known", condition=Q(mode__in=[mode for mode, _ in MODES]))
        ),
    ]
