"""Every hook is called with what its page promises, and no plugin can break a payment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from datetime import timedelta
from typing import Any, NoReturn

import pytest

from omniman_payment_core.errors import (
    BackendLoadError,
    NotAttemptedError,
    OutcomeUnknownError,
    RateLimitedError,
    VetoError,
)
from omniman_payment_core.hookspecs import hookimpl
from omniman_payment_core.notices import (
    DirectiveNotice,
    GatewayCall,
    PaymentChange,
    WebhookNotice,
)
from omniman_payment_core.plugins import PaymentHooks
from omniman_payment_core.plugins.hooks import HOOKS
from omniman_payment_core.secrets import Scrubber

NOTIFICATIONS = (
    "directive_enqueued",
    "directive_claimed",
    "directive_settled",
    "directive_retrying",
    "directive_failed",
    "directive_parked",
)


class Everything:
    """Implements every hook that an observer can have, and remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    @hookimpl(wrapper=True)
    def around_gateway_call(self, call: GatewayCall) -> Generator[None, Any, Any]:
        self.told.append(("around_gateway_call", call))
        result = yield
        self.told.append(("answer", result))
        return result

    @hookimpl
    def directive_enqueued(self, directive: DirectiveNotice) -> None:
        self.told.append(("directive_enqueued", directive))

    @hookimpl
    def directive_claimed(self, directive: DirectiveNotice) -> None:
        self.told.append(("directive_claimed", directive))

    @hookimpl
    def directive_settled(self, directive: DirectiveNotice) -> None:
        self.told.append(("directive_settled", directive))

    @hookimpl
    def directive_retrying(self, directive: DirectiveNotice) -> None:
        self.told.append(("directive_retrying", directive))

    @hookimpl
    def directive_failed(self, directive: DirectiveNotice) -> None:
        self.told.append(("directive_failed", directive))

    @hookimpl
    def directive_parked(self, directive: DirectiveNotice) -> None:
        self.told.append(("directive_parked", directive))

    @hookimpl
    def payment_changed(self, change: PaymentChange) -> None:
        self.told.append(("payment_changed", change))

    @hookimpl
    def webhook_accepted(self, webhook: WebhookNotice) -> None:
        self.told.append(("webhook_accepted", webhook))

    @hookimpl
    def webhook_rejected(self, account: str, reason: str) -> None:
        self.told.append(("webhook_rejected", account, reason))

    @hookimpl
    def retry_delay(self, directive: DirectiveNotice) -> timedelta | None:
        self.told.append(("retry_delay", directive))
        return timedelta(minutes=5)

    @hookimpl
    def select_backend(self, channel: Any) -> str | None:
        self.told.append(("select_backend", channel))
        return "stripe"


def make(hook: str, function: Callable[..., Any], **options: Any) -> Any:
    """A plugin with one hook."""
    return type("Plugin", (), {hook: staticmethod(hookimpl(**options)(function))})()


def hooks_with(hook: str, *functions: Callable[..., Any], **options: Any) -> PaymentHooks:
    hooks = PaymentHooks()
    for number, function in enumerate(functions, 1):
        hooks.register(make(hook, function, **options), f"plugin{number}")
    return hooks


def test_every_hook_is_called_with_its_documented_arguments(
    directive: DirectiveNotice, change: PaymentChange, webhook: WebhookNotice, call: GatewayCall
) -> None:
    plugin, channel = Everything(), object()
    hooks = PaymentHooks()
    hooks.register(plugin)

    assert hooks.around_gateway_call(call, lambda: "captured") == "captured"
    for name in NOTIFICATIONS:
        getattr(hooks, name)(directive)
    hooks.payment_changed(change)
    hooks.webhook_accepted(webhook)
    hooks.webhook_rejected("stripe", "the signature does not fit")
    assert hooks.retry_delay(directive) == timedelta(minutes=5)
    assert hooks.select_backend(channel) == "stripe"

    assert plugin.told == [
        ("around_gateway_call", call),
        ("answer", "captured"),
        *((name, directive) for name in NOTIFICATIONS),
        ("payment_changed", change),
        ("webhook_accepted", webhook),
        ("webhook_rejected", "stripe", "the signature does not fit"),
        ("retry_delay", directive),
        ("select_backend", channel),
    ]
    assert {entry[0] for entry in plugin.told} - {"answer"} == {*HOOKS} - {"register_backend"}
    assert hooks.failures == {}


def test_without_plugins_nothing_happens(directive: DirectiveNotice, call: GatewayCall) -> None:
    hooks = PaymentHooks()
    for name in NOTIFICATIONS:
        getattr(hooks, name)(directive)
    assert hooks.retry_delay(directive) is None
    assert hooks.select_backend(object()) is None
    assert hooks.around_gateway_call(call, lambda: 5) == 5
    assert not any(hooks.observes(name) for name in HOOKS)


def test_an_observer_takes_only_the_arguments_it_wants() -> None:
    told: list[str] = []
    hooks = hooks_with("webhook_rejected", lambda reason: told.append(reason))
    hooks.webhook_rejected("stripe", "too old")
    assert told == ["too old"]


def test_observers_run_last_registered_first_with_tryfirst_and_trylast(
    directive: DirectiveNotice,
) -> None:
    told: list[str] = []
    hooks = PaymentHooks()
    for name, options in (
        ("a", {}),
        ("b", {"tryfirst": True}),
        ("c", {"trylast": True}),
        ("d", {}),
    ):
        plugin = make("directive_settled", lambda name=name: told.append(name), **options)
        hooks.register(plugin, name)
    hooks.directive_settled(directive)
    assert told == ["b", "d", "a", "c"]


# -- isolation -----------------------------------------------------------------------------


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


@pytest.mark.parametrize(
    "error",
    [ValueError("boom"), SystemExit(1), GeneratorExit(), BaseException("odd"), Unprintable()],
    ids=lambda error: type(error).__name__,
)
def test_what_an_observer_raises_reaches_neither_the_caller_nor_the_others(
    error: BaseException, change: PaymentChange, caplog: pytest.LogCaptureFixture
) -> None:
    told = []

    def fail(change: PaymentChange) -> NoReturn:
        raise error

    hooks = PaymentHooks()
    hooks.register(make("payment_changed", lambda change: told.append(1)), "low")
    hooks.register(make("payment_changed", fail), "broken")
    hooks.register(make("payment_changed", lambda change: told.append(2)), "high")

    hooks.payment_changed(change)
    hooks.payment_changed(change)

    assert told == [2, 1, 2, 1]
    assert hooks.failures == {("broken", "payment_changed"): 2}
    message = caplog.records[0].getMessage()
    assert message.startswith(f'plugin "broken" failed in payment_changed: {type(error).__name__}')
    assert "test_hooks.py:" in message


def test_a_person_at_the_keyboard_is_obeyed_in_the_main_thread_only(
    change: PaymentChange,
) -> None:
    def interrupt() -> NoReturn:
        raise KeyboardInterrupt

    hooks = hooks_with("payment_changed", interrupt)
    with pytest.raises(KeyboardInterrupt):
        hooks.payment_changed(change)
    assert hooks.failures == {}

    thread = threading.Thread(target=hooks.payment_changed, args=(change,))
    thread.start()
    thread.join()
    assert hooks.failures == {("plugin1", "payment_changed"): 1}


def test_the_log_of_a_failure_is_scrubbed_and_has_one_line(
    change: PaymentChange, caplog: pytest.LogCaptureFixture
) -> None:
    def leak() -> NoReturn:
        raise ValueError("key sk_live_planted\nfake log line")

    hooks = hooks_with("payment_changed", leak)
    hooks.scrub = Scrubber(["sk_live_planted"]).text
    hooks.payment_changed(change)
    assert "ValueError: key [secret]\\nfake log line (" in caplog.text
    assert "sk_live_planted" not in caplog.text


def test_an_observer_is_switched_off_by_name(change: PaymentChange) -> None:
    told: list[int] = []
    hooks = PaymentHooks(disabled=["never"])
    plugin = make("payment_changed", lambda: told.append(1))
    assert not hooks.register(plugin, "never")
    assert hooks.register(plugin, "sometimes")
    hooks.payment_changed(change)
    hooks.switch_off("sometimes")
    hooks.payment_changed(change)

    assert told == [1]
    assert hooks.disabled == {"never", "sometimes"}
    assert not hooks.observes("payment_changed")
    assert not hooks.register(plugin, "sometimes")


def test_an_unregistered_observer_is_told_nothing_more(change: PaymentChange) -> None:
    told: list[int] = []
    hooks = hooks_with("payment_changed", lambda: told.append(1))
    assert hooks.observes("payment_changed")
    hooks.unregister("plugin1")
    hooks.payment_changed(change)
    assert told == []
    assert not hooks.observes("payment_changed")


# -- around the gateway call ---------------------------------------------------------------


def around(function: Callable[..., Any], name: str, hooks: PaymentHooks) -> PaymentHooks:
    hooks.register(make("around_gateway_call", function, wrapper=True), name)
    return hooks


def test_wrappers_nest_and_all_see_the_true_answer(call: GatewayCall) -> None:
    seen: list[Any] = []
    hooks = PaymentHooks()
    for name in ("inner", "outer"):

        def wrap(name: str = name) -> Generator[None, Any, Any]:
            seen.append(name)
            seen.append((name, (yield)))

        around(wrap, name, hooks)

    assert hooks.around_gateway_call(call, lambda: "charged") == "charged"
    assert seen == ["outer", "inner", ("inner", "charged"), ("outer", "charged")]
    assert hooks.failures == {}


@pytest.mark.parametrize("error", [VetoError("fraud suspected"), RateLimitedError(retry_after=9)])
def test_a_veto_prevents_the_call_and_is_no_failure(
    call: GatewayCall, error: NotAttemptedError
) -> None:
    performed: list[int] = []
    seen: list[BaseException] = []

    def veto(call: GatewayCall) -> Generator[None, Any, Any]:
        if call.amount_q:
            raise error
        yield

    def watch() -> Generator[None, Any, Any]:
        try:
            yield
        except BaseException as raised:
            seen.append(raised)
            raise

    hooks = around(watch, "watch", around(veto, "veto", PaymentHooks()))
    with pytest.raises(type(error)) as caught:
        hooks.around_gateway_call(call, lambda: performed.append(1))
    assert caught.value is error
    assert performed == []
    assert seen == [error]
    assert hooks.failures == {}


@pytest.mark.parametrize(
    "error", [ValueError("boom"), OutcomeUnknownError("no"), SystemExit(1), KeyboardInterrupt()]
)
def test_a_wrapper_that_breaks_before_the_call_makes_it_certainly_not_attempted(
    call: GatewayCall, error: BaseException
) -> None:
    performed: list[int] = []

    def fail(call: GatewayCall) -> Generator[None, Any, Any]:
        if call.amount_q:
            raise error
        yield

    hooks = around(fail, "broken", PaymentHooks())
    with pytest.raises(NotAttemptedError) as caught:
        hooks.around_gateway_call(call, lambda: performed.append(1))
    assert str(caught.value).startswith(
        'plugin "broken" failed before the gateway call, which was not made: '
        f"{type(error).__name__}"
    )
    assert performed == []
    assert hooks.failures == {("broken", "around_gateway_call"): 1}


def test_a_wrapper_that_ends_without_its_yield_prevents_the_call(call: GatewayCall) -> None:
    def skip(call: GatewayCall) -> Generator[None, Any, Any]:
        if call.amount_q < 0:
            yield

    hooks = around(skip, "broken", PaymentHooks())
    with pytest.raises(NotAttemptedError) as caught:
        hooks.around_gateway_call(call, lambda: "charged")
    assert str(caught.value) == (
        'plugin "broken" failed before the gateway call, which was not made: '
        "it ended without a yield"
    )


def raises_after() -> Generator[None, Any, Any]:
    yield
    raise ValueError("too late")


def vetoes_after() -> Generator[None, Any, Any]:
    yield
    raise VetoError("too late")


def exits_after() -> Generator[None, Any, Any]:
    yield
    raise SystemExit


def yields_twice() -> Generator[None, Any, Any]:
    yield
    yield


def returns_another() -> Generator[None, Any, Any]:
    yield
    return "declined"


def forgets_to_return() -> Generator[None, Any, Any]:
    yield


@pytest.mark.parametrize(
    ("wrapper", "failures"),
    [
        (raises_after, 1),
        (vetoes_after, 1),
        (exits_after, 1),
        (yields_twice, 1),
        (returns_another, 0),
        (forgets_to_return, 0),
    ],
)
def test_no_wrapper_can_lose_or_change_the_only_copy_of_charged(
    call: GatewayCall, wrapper: Callable[..., Any], failures: int
) -> None:
    seen: list[Any] = []

    def watch() -> Generator[None, Any, Any]:
        seen.append((yield))

    hooks = around(watch, "outer", around(wrapper, "broken", PaymentHooks()))
    assert hooks.around_gateway_call(call, lambda: "charged") == "charged"
    assert seen == ["charged"]
    assert sum(hooks.failures.values()) == failures


def swallows() -> Generator[None, Any, Any]:
    try:
        yield
    except Exception:
        return "charged"


def replaces() -> Generator[None, Any, Any]:
    try:
        yield
    except OutcomeUnknownError as error:
        raise NotAttemptedError("surely not") from error


@pytest.mark.parametrize(("wrapper", "failures"), [(swallows, 0), (replaces, 1)])
def test_no_wrapper_can_turn_an_unknown_outcome_into_another(
    call: GatewayCall, wrapper: Callable[..., Any], failures: int
) -> None:
    error = OutcomeUnknownError("timed out")

    def perform() -> NoReturn:
        raise error

    hooks = around(wrapper, "wrapper", PaymentHooks())
    with pytest.raises(OutcomeUnknownError) as caught:
        hooks.around_gateway_call(call, perform)
    assert caught.value is error
    assert sum(hooks.failures.values()) == failures


# -- policies ------------------------------------------------------------------------------


def test_the_first_policy_that_knows_an_answer_is_heard(directive: DirectiveNotice) -> None:
    hooks = hooks_with(
        "retry_delay", lambda: timedelta(minutes=1), lambda: timedelta(minutes=2), lambda: None
    )
    assert hooks.retry_delay(directive) == timedelta(minutes=2)


@pytest.mark.parametrize("answer", [60, "60", timedelta(seconds=-1), timedelta(days=31), True])
def test_a_retry_delay_that_is_none_is_skipped_and_counted(
    directive: DirectiveNotice, answer: Any
) -> None:
    hooks = hooks_with("retry_delay", lambda: timedelta(minutes=1), lambda: answer)
    assert hooks.retry_delay(directive) == timedelta(minutes=1)
    assert hooks.failures == {("plugin2", "retry_delay"): 1}


@pytest.mark.parametrize("answer", ["", 5, ["stripe"]])
def test_a_choice_that_is_no_name_is_skipped_and_counted(answer: Any) -> None:
    hooks = hooks_with("select_backend", lambda: "stripe", lambda: answer)
    assert hooks.select_backend(object()) == "stripe"
    assert hooks.failures == {("plugin2", "select_backend"): 1}


def test_a_policy_that_raises_leaves_the_default(directive: DirectiveNotice) -> None:
    hooks = hooks_with("retry_delay", lambda: 1 / 0)
    assert hooks.retry_delay(directive) is None
    assert hooks.failures == {("plugin1", "retry_delay"): 1}


# -- refused at registration ---------------------------------------------------------------


def plain() -> None: ...


def generates() -> Generator[None, Any, Any]:
    yield


async def waits() -> None: ...


def wants_more(change: PaymentChange, colour: str) -> None: ...


@pytest.mark.parametrize(
    ("hook", "function", "options", "text"),
    [
        (
            "around_gateway_call",
            plain,
            {},
            'plugin "audit" implements "around_gateway_call" as an ordinary hook; it must be a '
            "wrapper: write @hookimpl(wrapper=True) and yield once",
        ),
        (
            "around_gateway_call",
            generates,
            {"hookwrapper": True},
            'plugin "audit" implements "around_gateway_call" as an ordinary hook; it must be a '
            "wrapper: write @hookimpl(wrapper=True) and yield once",
        ),
        (
            "payment_changed",
            generates,
            {"wrapper": True},
            'plugin "audit" wraps "payment_changed"; only "around_gateway_call" can be wrapped: '
            "write a plain @hookimpl",
        ),
        (
            "payment_changed",
            generates,
            {},
            'plugin "audit" implements "payment_changed" with a "yield", so it would not run',
        ),
        (
            "payment_changed",
            waits,
            {},
            'plugin "audit" implements "payment_changed" with "async def"; write "def"',
        ),
        (
            "payment_chagned",
            plain,
            {},
            'plugin "audit" implements "payment_chagned", which is no hook of the payment core. '
            'Did you mean "payment_changed"?',
        ),
        (
            "on_paid",
            plain,
            {"specname": "something_else_entirely"},
            'plugin "audit" implements "something_else_entirely", which is no hook of the '
            "payment core.",
        ),
    ],
)
def test_a_plugin_that_cannot_work_is_refused_with_its_name(
    hook: str, function: Callable[..., Any], options: dict[str, Any], text: str
) -> None:
    hooks = PaymentHooks()
    with pytest.raises(BackendLoadError) as caught:
        hooks.register(make(hook, function, **options), "audit")
    assert str(caught.value) == text
    assert hooks.names == ()


def test_an_argument_that_the_hook_does_not_have_is_refused() -> None:
    hooks = PaymentHooks()
    with pytest.raises(BackendLoadError) as caught:
        hooks.register(make("payment_changed", wants_more), "audit")
    assert str(caught.value).startswith('plugin "audit" does not fit its hook: ')
    assert "colour" in str(caught.value)
    assert hooks.names == ()
    assert not hooks.observes("payment_changed")


def test_an_optional_hook_of_another_version_is_allowed() -> None:
    plugin = make("payment_changed", plain)
    type(plugin).payment_teleported = staticmethod(hookimpl(optionalhook=True)(lambda: None))
    hooks = PaymentHooks()
    assert hooks.register(plugin, "audit")


def test_one_name_is_registered_once() -> None:
    hooks = hooks_with("payment_changed", plain)
    with pytest.raises(BackendLoadError) as caught:
        hooks.register(make("payment_changed", plain), "plugin1")
    assert str(caught.value) == 'plugin "plugin1" is registered already; give it another name'
