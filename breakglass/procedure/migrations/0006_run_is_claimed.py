"""No run is prepared that no execution has claimed. See procedure/sql/10_claimed.sql."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("procedure", "0005_judgement"), ("recovery", "0003_decided_by")]
    operations = [migrations.RunSQL((SQL / "10_claimed.sql").read_text())]
