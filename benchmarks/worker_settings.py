"""Django settings of the worker whose memory is measured; its database is in the environment."""

from __future__ import annotations

import os

from .databases import POSTGRES, postgres_settings, sqlite_settings

_alias, _address = os.environ["OMNIMAN_BENCH_DATABASE"].split(" ", 1)

SECRET_KEY = "only for measuring"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["omniman_payment_django"]
DATABASES = {
    "default": postgres_settings(_address) if _alias == POSTGRES else sqlite_settings(_address)
}
OMNIMAN = {
    # Nothing but what the worker itself holds: the mock's books would grow with every payment.
    "PAYMENT_BACKENDS": {"mock": {"class": "benchmarks.forgetful.ForgetfulGateway"}},
}
