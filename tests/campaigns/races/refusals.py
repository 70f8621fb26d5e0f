"""How the shop says no to whoever came second: by these errors, and by no other."""

from __future__ import annotations

from omniman_payment_django.models.flow import TransitionError
from omniman_payment_django.sessions import CommitError, RequestRefusedError
from omniman_payment_django.settling import SettlingError

REFUSALS = (CommitError, RequestRefusedError, SettlingError, TransitionError)
