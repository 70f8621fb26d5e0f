"""What people do: the shop, the payer, the gateway's staff, and the operator of the shop."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from omniman_payment_core.decisions import sync_of
from omniman_payment_core.records import (
    ABOUT_UNKNOWN,
    Directive,
    DirectiveStatus,
    Operation,
    OperationKind,
    OperationState,
    Topic,
    evolve,
)
from omniman_payment_core.values import RefundStatus
from omniman_payment_mock.transactions import Transaction

from .accounts import SimAccount

if TYPE_CHECKING:
    from .world import World

BEHAVIOURS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {},
    {"authenticate": True},
    {"qr": True},
    {"qr": True, "expires_in": 600},
    {"qr": True, "expires_in": 20},
    {"pending": True, "pays_after_reads": 3},
    {"decline": "insufficient_funds"},
    {"refund": "pending"},
    {"refund": "fails_later"},
    {"refund": "refund_refused"},
    {"expires_in": 3600},
)
_OPENING = (OperationKind.AUTHORIZE, OperationKind.CHARGE)
_BEGINNING = (OperationKind.PREPARE, *_OPENING)


class Shop:
    """Takes orders and asks for what is to happen to them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def takes_an_order(self) -> str:
        world, rng = self._world, self._world.rng
        ref = f"O{len(world.refs) + 1}"
        total = rng.choice([1, 999, 1000, 12_345])
        world.refs.append(ref)
        flow = rng.choice([Topic.HOLD, Topic.HOLD, Topic.CHARGE])
        late = rng.choice(["flag", "refund"])
        at = rng.choice(world.accounts.all).name
        world.store.add_order(ref, total_q=total, config={"late_money": late, "account": at})
        behaviour = rng.choice(BEHAVIOURS)
        world.tell(f"order {ref} of {total} at {at}, {flow}, {behaviour}, late money: {late}")
        payload = {"amount_q": total, "payment_method": {"behaviour": behaviour}}
        world.enqueue(flow, ref, payload)
        if rng.random() < 0.2:
            world.marks["shop:double_opening"] += 1
            world.enqueue(flow, ref, payload)
        plans = rng.choice([0, 0, 1, 2])
        if plans:
            # Most of what a shop wants is known before the payer has come to the gateway.
            part = {"amount_q": max(1, total // 2)}
            world.enqueue(Topic.CONFIRM, ref, rng.choice([{}, {}, part]))
            if plans > 1:
                world.enqueue(Topic.REFUND, ref, rng.choice([{}, part]))
        return ref

    def acts(self) -> None:
        world, rng = self._world, self._world.rng
        ref = rng.choice(world.refs)
        total = world.store.orders[ref].view.total_q
        act = rng.choice(
            ["confirm", "confirm", "confirm_part", "refund", "refund_part", "cancel",
             "cancel_order", "retry", "duplicate", "reroute", "nonsense"]
        )  # fmt: skip
        world.marks[f"shop:{act}"] += 1
        match act:
            case "confirm":
                world.enqueue(Topic.CONFIRM, ref, {})
            case "confirm_part":
                said = rng.choice([{}, {"final": False}, {"final": True}])
                world.enqueue(Topic.CONFIRM, ref, {"amount_q": max(1, total // 3), **said})
            case "refund":
                world.enqueue(Topic.REFUND, ref, {})
            case "refund_part":
                world.enqueue(Topic.REFUND, ref, {"amount_q": max(1, total // 2)})
            case "cancel":
                world.enqueue(Topic.CANCEL, ref, {})
            case "cancel_order":
                world.store.cancel_order(ref)
                world.enqueue(Topic.CANCEL, ref, {})
            case "retry":
                attempts = [p.attempt for p in world.payments_of(ref)]
                attempt = max(attempts, default=0) + 1
                world.enqueue(Topic.HOLD, ref, {"attempt": attempt, "amount_q": total})
            case "duplicate":
                payload = {"amount_q": max(1, total // 2)}
                for _ in range(2):
                    world.enqueue(Topic.REFUND, ref, payload, f"same-refund-{ref}")
            case "reroute":
                self._reroutes(ref)
            case "nonsense":
                topic = rng.choice([*Topic, "payment.unheard_of"])
                world.enqueue(topic, ref, rng.choice([{"amount_q": -1}, {"amount_q": "1,00"}]))

    def _reroutes(self, ref: str) -> None:
        """The order's channel is configured for another account from now on."""
        world, order = self._world, self._world.store.orders[ref]
        to = world.rng.choice(world.accounts.all).name
        channel = order.view.channel
        config = {**channel.config, "account": to}
        order.view = replace(order.view, channel=replace(channel, config=config))
        world.tell(f"the channel of {ref} is routed to {to}")


class Payer:
    """Pays, fails to, pays late; and the bank takes money back."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.unasked: set[str] = set()
        """Transactions that somebody paid although the shop's books had closed them."""
        self.paid: set[str] = set()
        """Transactions that the payer paid by themselves."""

    def acts(self) -> None:
        world, rng = self._world, self._world.rng
        one = rng.choice(world.accounts.all)
        transactions = one.gateway.transactions()
        if not transactions:
            return
        name = rng.choice(transactions)
        txn = one.gateway.transaction(name)
        assert txn is not None
        act = rng.choice(
            ["finish", "finish", "finish", "fail", "late", "late", "outside", "dispute",
             "dispute_won", "dispute_won", "part"]
        )  # fmt: skip
        try:
            if not self._does(act, one, txn):
                return
        except ValueError:
            return  # the gateway does not let that happen to this transaction
        world.marks[f"payer:{act}"] += 1
        world.tell(f"payer: {act} {name}")
        world.inbox.send(one, name)

    def _does(self, act: str, one: SimAccount, txn: Transaction) -> bool:
        gateway, name = one.gateway, txn.id
        match act:
            case "finish" if txn.waiting == "3ds":
                gateway.confirm_3ds(name)
                self._pays(txn)
            case "finish" if txn.waiting:
                gateway.pay(name)
                self._pays(txn)
            case "part" if txn.waiting == "qr" and txn.amount_q > 1 and one.shows_amounts:
                gateway.pay(name, self._world.rng.choice([txn.amount_q - 1, txn.amount_q + 1]))
                self._pays(txn)
                self.unasked.add(name)
            case "fail" if txn.waiting == "3ds":
                gateway.confirm_3ds(name, ok=False)
            case "fail" if txn.waiting:
                gateway.abandon(name)
            case "late" if txn.captures_at_once and (txn.expired or txn.cancelled):
                gateway.pay(name, late=True)
                self._pays(txn)
                self.unasked.add(name)
            case "outside":
                gateway.refund_outside(name, self._world.rng.choice([None, 1]))
            case "dispute":
                gateway.dispute(name, None)
            case "dispute_won" if txn.disputed_q:
                gateway.win_dispute(name)
            case _:
                return False
        return True

    def _pays(self, txn: Transaction) -> None:
        """Note who paid what; where our books were closed already, nobody had asked for it."""
        self.paid.add(txn.id)
        payment = self._world.payment_of(txn.id)
        if payment is None or payment.closed or payment.cancel_requested:
            self.unasked.add(txn.id)


class Operator:
    """Looks at what waits for a person, and decides by what the gateway really did."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.gave_up: set[str] = set()
        """Orders for which a person said that something is not to be done any more."""

    def acts(self) -> None:
        act = self._world.rng.choice(["verdict", "verdict", "retry", "retry", "abandon", "look"])
        match act:
            case "verdict":
                done = self._gives_a_verdict()
            case "retry":
                done = self._retries()
            case "abandon":
                done = self._abandons()
            case _:
                done = self._looks()
        if done:
            self._world.marks[f"operator:{act}"] += 1

    def _gives_a_verdict(self) -> bool:
        world = self._world
        parked = [op for op in world.store.operations.values() if op.state == OperationState.PARKED]
        if not parked:
            return False
        operation = world.rng.choice(parked)
        truth = self._truth(operation)
        if truth is None:
            return False
        happened, reference = truth
        world.marks[f"verdict:{'happened' if happened else 'never'}"] += 1
        world.enqueue(
            Topic.VERDICT,
            world.store.payments[operation.payment_id].order_ref,
            {
                "operation": operation.key,
                "happened": happened,
                "reference": reference,
                "actor": "ana",
                "reason": "looked at the gateway's dashboard",
            },
        )
        return True

    def _truth(self, operation: Operation) -> tuple[bool, str] | None:
        """What the dashboard shows, once nothing is on its way any more; ``None``: not clear."""
        payment = self._world.store.payments[operation.payment_id]
        one = self._world.accounts[payment.account]
        if one.gateway.late:
            return None
        for effect in one.wire.effects:
            if effect.key == operation.key:
                result = effect.result
                txn = one.gateway.transaction(result.transaction_id or payment.transaction_id or "")
                paid_q = txn.authorized_q if txn is not None else 0
                if operation.kind in _OPENING and paid_q != operation.amount_q:
                    return None  # nobody has paid yet, or another amount: no verdict says that
                if operation.kind == OperationKind.REFUND:
                    return None  # it may be on its way, and may still fail: a look will tell
                return True, result.reference or result.transaction_id or ""
        return False, ""

    def _retries(self) -> bool:
        """What a host does when a person lets a directive run again."""
        stopped = (DirectiveStatus.PARKED, DirectiveStatus.FAILED)
        directive = self._one_of(stopped)
        if directive is None:
            return False
        store = self._world.store
        parked = [
            operation
            for operation in self._operations_of(directive)
            if operation.state == OperationState.PARKED
        ]
        for operation in parked:
            # What never left is no doubt: there is nothing to look up.
            sent = operation.first_sent_at is not None
            state = OperationState.SENT if sent else OperationState.PLANNED
            store.operations[operation.key] = evolve(operation, state=state)
        self._runs_again(directive)
        if parked:
            self._withdraw_question(directive.order_ref, {op.payment_id for op in parked})
        self._world.tell(f"operator: directive {directive.id} ({directive.topic}) runs again")
        return True

    def _runs_again(self, directive: Directive) -> None:
        self._world.store.directives[directive.id] = evolve(
            directive,
            status=DirectiveStatus.PENDING,
            attempts=0,
            waiting=False,
            available_at=self._world.clock.now(),
        )

    def _withdraw_question(self, order_ref: str, payment_ids: set[str]) -> None:
        """What waits behind a doubt waits for the new look at it; if need be it is asked again."""
        store = self._world.store
        for directive in list(store.directives.values()):
            if directive.order_ref == order_ref and directive.status == DirectiveStatus.PARKED:
                self._runs_again(directive)
        for key, flag in list(store.flags.items()):
            if flag.payment_id in payment_ids and flag.kind in ABOUT_UNKNOWN:
                del store.flags[key]

    def _abandons(self) -> bool:
        """What a host does when a person gives a directive up."""
        directive = self._one_of((DirectiveStatus.PARKED, DirectiveStatus.PENDING))
        if directive is None:
            return False
        if directive.topic == Topic.CANCEL:
            return False  # nothing else would let go of what was begun
        store, mine = self._world.store, self._operations_of(directive)
        if any(op.state in (OperationState.SENT, OperationState.PARKED) for op in mine):
            return False
        self.gave_up.add(directive.order_ref)
        store.directives[directive.id] = evolve(
            directive,
            status=DirectiveStatus.FAILED,
            waiting=False,
            result={"error_code": "abandoned", "error_message": "ana: not wanted any more"},
        )
        self._give_up(directive, mine)
        self._world.tell(f"operator: directive {directive.id} ({directive.topic}) is given up")
        return True

    def _give_up(self, directive: Directive, operations: list[Operation]) -> None:
        """What never left is over, what it reserved is free, what it began is withdrawn."""
        store = self._world.store
        for operation in operations:
            if operation.state != OperationState.PLANNED:
                continue
            store.operations[operation.key] = evolve(
                operation, state=OperationState.ABANDONED, evidence="ana: not wanted any more"
            )
            refund = store.refunds.get(operation.key)
            if refund is not None:
                store.refunds[refund.id] = evolve(refund, status=RefundStatus.FAILED)
        begun = {op.payment_id for op in operations if op.kind in _BEGINNING}
        for payment in [store.payments[number] for number in sorted(begun)]:
            if payment.status in ("pending", "requires_action"):
                payload = {"payment_id": payment.id}
                self._world.enqueue(Topic.CANCEL, directive.order_ref, payload)

    def _looks(self) -> bool:
        """A reconciliation wakes payments, whether anything differs or not."""
        store = self._world.store
        payments = list(store.payments.values())
        if not payments:
            return False
        payment = self._world.rng.choice(payments)
        store.enqueue([sync_of(payment.order_ref, payment.id)])
        return True

    def _one_of(self, statuses: tuple[DirectiveStatus, ...]) -> Directive | None:
        found = [d for d in self._world.store.directives.values() if d.status in statuses]
        return self._world.rng.choice(found) if found else None

    def _operations_of(self, directive: Directive) -> list[Operation]:
        identity = directive.identity
        return [op for op in self._world.store.operations.values() if op.cause == identity]


def gateway_acts(world: World) -> None:
    """The gateway's own work: refunds that were pending end, well or not."""
    for one in world.accounts.all:
        for name in one.gateway.transactions():
            txn = one.gateway.transaction(name)
            assert txn is not None
            for refund in txn.refunds:
                if refund.status == "pending":
                    ok = world.rng.random() < 0.7
                    world.marks[f"gateway:refund_{'done' if ok else 'failed'}"] += 1
                    one.gateway.settle_refund(refund.reference, ok=ok)
        one.gateway.deliver_late(due_only=True)
