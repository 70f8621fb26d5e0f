"""The far side of the counter: shoppers who pay, and the gateway's notifications about it.

Knows the mock gateway and the address of the shop's webhook endpoint; nothing of its tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from omniman_payment_mock import MockGateway

Deliver = Callable[[str, Mapping[str, str], bytes], int]
"""Takes the transaction, the headers and the body; answers with the HTTP status."""


def pay_what_waits(gateway: MockGateway, deliver: Deliver) -> int:
    """Every shopper who was asked for something does it; says how many did.

    The gateway then notifies the shop, twice, as gateways do.
    """
    paid = 0
    for transaction_id in gateway.transactions():
        transaction = gateway.transaction(transaction_id)
        if transaction is None or not transaction.waiting:
            continue
        if transaction.waiting == "3ds":
            gateway.confirm_3ds(transaction_id)
        else:
            gateway.pay(transaction_id)
        paid += 1
        headers, body = gateway.webhook(transaction_id)
        for _ in range(2):
            status = deliver(transaction_id, headers, body)
            if status != 200:
                raise RuntimeError(f"the shop answered a notification with {status}")
    return paid
