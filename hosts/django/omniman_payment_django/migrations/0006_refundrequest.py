"""Refunds that wait for a second person."""

from __future__ import annotations

from typing import ClassVar

import django.utils.timezone
from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    """Adds one table."""

    dependencies: ClassVar[list[tuple[str, str]]] = [
        ("omniman_payment", "0005_reconciliation_lease")
    ]

    operations: ClassVar[list[Operation]] = [
        migrations.CreateModel(
            name="RefundRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("order_ref", models.CharField(db_index=True, max_length=64)),
                ("amount_q", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("reason", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("approved", "approved"),
                            ("rejected", "rejected"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("requested_by", models.CharField(max_length=150)),
                ("requested_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("decided_by", models.CharField(blank=True, default="", max_length=150)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decision", models.TextField(blank=True, default="")),
                ("directive_id", models.BigIntegerField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "refund request",
                "verbose_name_plural": "refund requests",
                "permissions": (
                    (
                        "decide_refundrequest",
                        "Can approve or reject a refund that somebody else asked for",
                    ),
                ),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(amount_q__gt=0), name="omniman_refundrequest_amount"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(state__in=["waiting", "approved", "rejected"]),
                        name="omniman_refundrequest_state",
                    ),
                    models.CheckConstraint(
                        condition=~models.Q(state="approved")
                        | ~models.Q(decided_by=models.F("requested_by")),
                        name="omniman_refundrequest_four_eyes",
                    ),
                ],
            },
        ),
    ]
