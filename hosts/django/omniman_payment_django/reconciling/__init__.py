"""Comparing the ledger with the gateways' own truth, by hand or on a schedule."""

from .run import Finding, Reconciling, Report
from .schedule import ReconcileSchedule
from .standing import ReconciliationBusyError

__all__ = ["Finding", "ReconcileSchedule", "ReconciliationBusyError", "Reconciling", "Report"]
