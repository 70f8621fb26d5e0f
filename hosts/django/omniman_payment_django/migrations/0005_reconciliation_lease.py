"""One process at a time reconciles an account."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    """Adds a column that old code leaves empty."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("omniman_payment", "0004_reconciliation")]

    operations: ClassVar[list[Operation]] = [
        migrations.AddField(
            model_name="reconciliation",
            name="lease_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
