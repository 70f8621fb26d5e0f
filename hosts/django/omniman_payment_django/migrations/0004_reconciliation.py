"""A row for each account says how far a reconciliation has come."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    """Adds one small table."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("omniman_payment", "0003_verdict")]

    operations: ClassVar[list[Operation]] = [
        migrations.CreateModel(
            name="Reconciliation",
            fields=[
                ("account", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("since", models.DateTimeField()),
                ("began_at", models.DateTimeField()),
                ("position", models.CharField(blank=True, default="", max_length=64)),
                ("compared", models.PositiveIntegerField(default=0)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "reconciliation",
                "verbose_name_plural": "reconciliations",
            },
        ),
    ]
