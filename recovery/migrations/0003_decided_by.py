"""Who decides what became of a run, in words: a person, too, where the machine cannot."""

from django.db import migrations, models

WHO = [
    ("executor", "the process that made the change"),
    ("settle", "the console, by asking the platform"),
    ("person", "a person, not the machine"),
]


class Migration(migrations.Migration):
    dependencies = [("recovery", "0002_seals")]
    operations = [
        migrations.AlterField(
            model_name="run", name="decided_by", field=models.CharField(blank=True, choices=WHO, max_length=20)
        ),
    ]
