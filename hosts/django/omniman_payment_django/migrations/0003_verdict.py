"""A directive may carry a person's verdict on an operation that nobody knows about."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    """Changes what the field's forms offer; no column."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("omniman_payment", "0002_append_only")]

    operations: ClassVar[list[Operation]] = [
        migrations.AlterField(
            model_name="directive",
            name="topic",
            field=models.CharField(
                choices=[
                    ("payment.hold", "payment.hold"),
                    ("payment.charge", "payment.charge"),
                    ("payment.confirm", "payment.confirm"),
                    ("payment.refund", "payment.refund"),
                    ("payment.cancel", "payment.cancel"),
                    ("payment.sync", "payment.sync"),
                    ("payment.verdict", "payment.verdict"),
                ],
                max_length=32,
            ),
        ),
    ]
