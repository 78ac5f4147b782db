"""What guards the script of a run on paper. See procedure/sql."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql" / "11_paper.sql"


class Migration(migrations.Migration):
    dependencies = [("procedure", "0006_run_is_claimed"), ("recovery", "0005_access_modes")]
    operations = [migrations.RunSQL(SQL.read_text(), migrations.RunSQL.noop)]
