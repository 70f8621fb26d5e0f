"""The tables as they were first released."""

# ruff: noqa: RUF012  (written by makemigrations)

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Channel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=64, unique=True)),
                ("name", models.CharField(blank=True, default="", max_length=200)),
                ("config", models.JSONField(blank=True, default=dict)),
            ],
            options={
                "verbose_name": "channel",
                "verbose_name_plural": "channels",
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="OrderEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("order_ref", models.CharField(db_index=True, max_length=64)),
                ("kind", models.CharField(max_length=32)),
                ("actor", models.CharField(max_length=150)),
                ("data", models.JSONField(blank=True, default=dict)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name": "order event",
                "verbose_name_plural": "order events",
            },
        ),
        migrations.CreateModel(
            name="Directive",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "topic",
                    models.CharField(
                        choices=[
                            ("payment.hold", "payment.hold"),
                            ("payment.charge", "payment.charge"),
                            ("payment.confirm", "payment.confirm"),
                            ("payment.refund", "payment.refund"),
                            ("payment.cancel", "payment.cancel"),
                            ("payment.sync", "payment.sync"),
                        ],
                        max_length=32,
                    ),
                ),
                ("order_ref", models.CharField(max_length=64)),
                ("payload", models.JSONField(blank=True, default=dict)),
                ("schema_version", models.PositiveSmallIntegerField(default=1)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("running", "running"),
                            ("completed", "completed"),
                            ("failed", "failed"),
                            ("parked", "parked"),
                        ],
                        default="pending",
                        max_length=16,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("available_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("fence", models.PositiveBigIntegerField(default=0)),
                ("lease_owner", models.CharField(blank=True, default="", max_length=200)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("dedupe_key", models.CharField(blank=True, max_length=255, null=True)),
                ("waiting", models.BooleanField(default=False)),
                ("wakes", models.PositiveIntegerField(default=0)),
                ("result", models.JSONField(blank=True, null=True)),
                ("last_error", models.TextField(blank=True, default="")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("finished_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "verbose_name": "directive",
                "verbose_name_plural": "directives",
                "indexes": [
                    models.Index(fields=["order_ref"], name="omniman_directive_order"),
                    models.Index(
                        condition=models.Q(("status__in", ["pending", "running"])),
                        fields=["available_at", "id"],
                        name="omniman_directive_due",
                    ),
                    models.Index(
                        condition=models.Q(("status", "running")),
                        fields=["order_ref", "available_at"],
                        name="omniman_directive_running",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("dedupe_key",), name="omniman_directive_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["pending", "running", "completed", "failed", "parked"])
                        ),
                        name="omniman_directive_status",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Flag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=64)),
                ("dedupe_key", models.CharField(max_length=400)),
                ("order_ref", models.CharField(db_index=True, max_length=64)),
                ("message", models.TextField()),
                ("payment_id", models.CharField(blank=True, max_length=64, null=True)),
                ("directive_id", models.BigIntegerField(blank=True, null=True)),
                ("account", models.CharField(blank=True, default="", max_length=100)),
                ("opened_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("actor", models.CharField(blank=True, default="", max_length=150)),
                ("reason", models.TextField(blank=True, default="")),
            ],
            options={
                "verbose_name": "flag",
                "verbose_name_plural": "flags",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("settled_at__isnull", True)),
                        fields=("dedupe_key",),
                        name="omniman_flag_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="GatewayCall",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("order_ref", models.CharField(max_length=64)),
                ("payment_id", models.CharField(max_length=64)),
                ("account", models.CharField(max_length=100)),
                ("method", models.CharField(max_length=32)),
                ("operation_key", models.CharField(blank=True, max_length=64)),
                ("amount_q", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("attempt", models.PositiveIntegerField()),
                ("outcome", models.CharField(max_length=32)),
                ("duration_us", models.PositiveBigIntegerField()),
                ("at", models.DateTimeField()),
                ("transaction_id", models.CharField(blank=True, default="", max_length=255)),
                ("status", models.CharField(blank=True, default="", max_length=255)),
                ("code", models.CharField(blank=True, default="", max_length=255)),
                ("message", models.TextField(blank=True, default="")),
            ],
            options={
                "verbose_name": "gateway call",
                "verbose_name_plural": "gateway calls",
                "indexes": [models.Index(fields=["order_ref"], name="omniman_call_order")],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("order_ref", models.CharField(max_length=64)),
                ("attempt", models.PositiveIntegerField()),
                (
                    "flow",
                    models.CharField(
                        choices=[("authorize_capture", "authorize_capture"), ("charge", "charge")],
                        max_length=32,
                    ),
                ),
                ("account", models.CharField(max_length=100)),
                ("fingerprint", models.CharField(blank=True, max_length=100)),
                ("livemode", models.BooleanField()),
                ("plugin", models.CharField(max_length=200)),
                ("plugin_version", models.CharField(blank=True, max_length=100)),
                ("currency", models.CharField(max_length=3)),
                ("amount_q", models.BigIntegerField()),
                ("created_at", models.DateTimeField()),
                ("transaction_id", models.CharField(blank=True, max_length=255, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("requires_action", "requires_action"),
                            ("authorized", "authorized"),
                            ("partially_captured", "partially_captured"),
                            ("captured", "captured"),
                            ("partially_refunded", "partially_refunded"),
                            ("refunded", "refunded"),
                            ("cancelled", "cancelled"),
                            ("expired", "expired"),
                            ("failed", "failed"),
                            ("disputed", "disputed"),
                        ],
                        max_length=32,
                    ),
                ),
                ("authorized_q", models.BigIntegerField(default=0)),
                ("captured_q", models.BigIntegerField(default=0)),
                ("released_q", models.BigIntegerField(default=0)),
                ("refund_pending_q", models.BigIntegerField(default=0)),
                ("refunded_q", models.BigIntegerField(default=0)),
                ("disputed_q", models.BigIntegerField(default=0)),
                ("actions_open", models.IntegerField(default=0)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("voids", models.PositiveIntegerField(default=0)),
                ("expiries", models.PositiveIntegerField(default=0)),
                ("next_action", models.JSONField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("hold_expires_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_requested", models.BooleanField(default=False)),
                ("fired", models.JSONField(blank=True, default=list)),
                ("checks", models.PositiveIntegerField(default=0)),
                ("next_check_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name": "payment",
                "verbose_name_plural": "payments",
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_check_at__isnull", False)),
                        fields=["next_check_at"],
                        name="omniman_payment_check_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("order_ref", "attempt"), name="omniman_payment_attempt"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("transaction_id__isnull", False)),
                        fields=("account", "transaction_id"),
                        name="omniman_payment_transaction",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "pending",
                                    "requires_action",
                                    "authorized",
                                    "partially_captured",
                                    "captured",
                                    "partially_refunded",
                                    "refunded",
                                    "cancelled",
                                    "expired",
                                    "failed",
                                    "disputed",
                                ],
                            )
                        ),
                        name="omniman_payment_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_q__gt", 0),
                            ("authorized_q__gte", 0),
                            ("captured_q__gte", 0),
                            ("released_q__gte", 0),
                        ),
                        name="omniman_payment_amounts",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PaymentNotice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("payment_id", models.CharField(max_length=64)),
                ("version", models.PositiveIntegerField()),
                ("snapshot", models.JSONField()),
                ("at", models.DateTimeField(db_index=True)),
            ],
            options={
                "verbose_name": "payment notice",
                "verbose_name_plural": "payment notices",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("payment_id", "version"), name="omniman_notice_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=64, unique=True)),
                ("items", models.JSONField(blank=True, default=list)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "open"), ("committed", "committed")],
                        default="open",
                        max_length=16,
                    ),
                ),
                (
                    "commit_key",
                    models.CharField(blank=True, max_length=200, null=True, unique=True),
                ),
                ("data", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("committed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sessions",
                        to="omniman_payment.channel",
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("account", models.CharField(max_length=100)),
                ("event_id", models.CharField(max_length=255)),
                ("kind", models.CharField(max_length=64)),
                ("transaction_id", models.CharField(blank=True, max_length=255, null=True)),
                ("livemode", models.BooleanField(blank=True, null=True)),
                ("occurred_at", models.DateTimeField(blank=True, null=True)),
                ("received_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("body", models.TextField(blank=True, default="")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("received", "received"),
                            ("matched", "matched"),
                            ("unmatched", "unmatched"),
                            ("ignored", "ignored"),
                        ],
                        default="received",
                        max_length=16,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.TextField(blank=True, default="")),
            ],
            options={
                "verbose_name": "webhook delivery",
                "verbose_name_plural": "webhook deliveries",
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_try_at__isnull", False)),
                        fields=["next_try_at"],
                        name="omniman_webhook_retry",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "event_id"), name="omniman_webhook_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PaymentEvent",
            fields=[
                ("seq", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "opened"),
                            ("action_required", "action_required"),
                            ("action_taken", "action_taken"),
                            ("authorized", "authorized"),
                            ("captured", "captured"),
                            ("voided", "voided"),
                            ("expired", "expired"),
                            ("failed", "failed"),
                            ("refund_pending", "refund_pending"),
                            ("refunded", "refunded"),
                            ("refund_failed", "refund_failed"),
                            ("dispute_opened", "dispute_opened"),
                            ("dispute_closed", "dispute_closed"),
                            ("note", "note"),
                        ],
                        max_length=32,
                    ),
                ),
                ("amount_q", models.BigIntegerField()),
                ("dedupe_key", models.CharField(max_length=400)),
                (
                    "source",
                    models.CharField(
                        choices=[("call", "call"), ("sync", "sync"), ("operator", "operator")],
                        max_length=16,
                    ),
                ),
                ("actor", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
                ("gateway_reference", models.CharField(blank=True, default="", max_length=255)),
                ("data", models.JSONField(blank=True, default=dict)),
                (
                    "payment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="omniman_payment.payment",
                    ),
                ),
            ],
            options={
                "verbose_name": "fact",
                "verbose_name_plural": "facts",
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["payment", "seq"], name="omniman_event_payment")],
                "constraints": [
                    models.UniqueConstraint(fields=("dedupe_key",), name="omniman_event_once"),
                    models.CheckConstraint(
                        condition=models.Q(("amount_q__gte", 0)), name="omniman_event_amount"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PaymentOperation",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("prepare", "prepare"),
                            ("authorize", "authorize"),
                            ("capture", "capture"),
                            ("charge", "charge"),
                            ("cancel", "cancel"),
                            ("refund", "refund"),
                        ],
                        max_length=16,
                    ),
                ),
                ("ordinal", models.PositiveIntegerField()),
                ("cause", models.CharField(max_length=255)),
                ("params_hash", models.CharField(max_length=128)),
                ("amount_q", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "planned"),
                            ("sent", "sent"),
                            ("pending", "pending"),
                            ("ok", "ok"),
                            ("refused", "refused"),
                            ("abandoned", "abandoned"),
                            ("parked", "parked"),
                        ],
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("first_sent_at", models.DateTimeField(blank=True, null=True)),
                ("last_sent_at", models.DateTimeField(blank=True, null=True)),
                ("window_until", models.DateTimeField(blank=True, null=True)),
                ("address", models.CharField(blank=True, default="", max_length=255)),
                ("gateway_reference", models.CharField(blank=True, default="", max_length=255)),
                ("fence", models.PositiveBigIntegerField(default=0)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("code", models.CharField(blank=True, default="", max_length=255)),
                ("evidence", models.TextField(blank=True, default="")),
                (
                    "payment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="operations",
                        to="omniman_payment.payment",
                    ),
                ),
            ],
            options={
                "verbose_name": "operation",
                "verbose_name_plural": "operations",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("payment", "kind", "ordinal"), name="omniman_operation_ordinal"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "planned",
                                    "sent",
                                    "pending",
                                    "ok",
                                    "refused",
                                    "abandoned",
                                    "parked",
                                ],
                            )
                        ),
                        name="omniman_operation_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                ["prepare", "authorize", "capture", "charge", "cancel", "refund"],
                            )
                        ),
                        name="omniman_operation_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_q__gte", 0)), name="omniman_operation_amount"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.CharField(max_length=400, primary_key=True, serialize=False)),
                ("amount_q", models.BigIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("succeeded", "succeeded"),
                            ("failed", "failed"),
                        ],
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("accepted", models.BooleanField(default=False)),
                ("external", models.BooleanField(default=False)),
                ("reference", models.CharField(blank=True, default="", max_length=255)),
                ("reason", models.TextField(blank=True, default="")),
                (
                    "payment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="omniman_payment.payment",
                    ),
                ),
            ],
            options={
                "verbose_name": "refund",
                "verbose_name_plural": "refunds",
                "indexes": [models.Index(fields=["payment"], name="omniman_refund_payment")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "succeeded", "failed"])),
                        name="omniman_refund_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_q__gte", 0)), name="omniman_refund_amount"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("ref", models.CharField(max_length=64)),
                ("status", models.CharField(default="new", max_length=32)),
                ("currency", models.CharField(max_length=3)),
                ("total_q", models.BigIntegerField()),
                ("items", models.JSONField(blank=True, default=list)),
                ("data", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="orders",
                        to="omniman_payment.channel",
                    ),
                ),
                (
                    "session",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="order",
                        to="omniman_payment.session",
                    ),
                ),
            ],
            options={
                "verbose_name": "order",
                "verbose_name_plural": "orders",
                "indexes": [models.Index(fields=["status"], name="omniman_order_status")],
                "constraints": [
                    models.UniqueConstraint(fields=("ref",), name="omniman_order_ref"),
                    models.CheckConstraint(
                        condition=models.Q(("total_q__gt", 0)), name="omniman_order_total_positive"
                    ),
                ],
            },
        ),
    ]
