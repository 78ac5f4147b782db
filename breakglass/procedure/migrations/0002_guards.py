"""What Django cannot say about the procedure: composite keys, the exclusion of a second window, and the triggers. See procedure/sql."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"
FILES = ("1_links", "2_stays", "3_incident", "4_plan", "5_approval", "6_window", "7_run")


class Migration(migrations.Migration):
    dependencies = [
        ("procedure", "0001_initial"),
        ("people", "0001_initial"),
        ("recovery", "0001_initial"),
        ("audit", "0001_clock_and_log"),
    ]
    operations = [migrations.RunSQL((SQL / f"{name}.sql").read_text()) for name in FILES]
