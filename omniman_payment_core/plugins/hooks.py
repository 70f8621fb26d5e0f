"""The typed face of all hooks: nothing else touches pluggy's hook callers.

Plugins are guests here. Observers and policies are called one by one; what one raises is
logged with its name, counted in :attr:`PaymentHooks.failures` and goes no further. That
holds for ``SystemExit`` too (a plugin must not be able to end a worker); the one exception
is ``KeyboardInterrupt`` in the main thread, which is a person at the keyboard.
"""

from __future__ import annotations

import inspect
import logging
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import pluggy

from ..errors import BackendLoadError, NotAttemptedError
from ..hookspecs import PROJECT, PaymentHookSpecs
from ..notices import DirectiveNotice, GatewayCall, PaymentChange, WebhookNotice
from ..secrets import Scrubber
from .wording import nearest

log = logging.getLogger("omniman_payment.hooks")

T = TypeVar("T")

AROUND = "around_gateway_call"
REGISTER = "register_backend"
HOOKS = tuple(name for name in vars(PaymentHookSpecs) if not name.startswith("_"))
LONGEST_DELAY = timedelta(days=30)


def new_manager() -> pluggy.PluginManager:
    """A plugin manager that knows our hooks and no plugin."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(PaymentHookSpecs)
    return manager


def check_hooks(manager: pluggy.PluginManager, plugin: object, label: str) -> frozenset[str]:
    """The hooks a plugin implements; raises :class:`BackendLoadError` for one that cannot work."""
    implemented = set()
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is None:
            continue
        hook = options["specname"] or name
        if hook not in HOOKS:
            if options["optionalhook"]:
                continue
            raise BackendLoadError(
                f'{label} implements "{hook}", which is no hook of the payment core.'
                f"{nearest(hook, HOOKS)}"
            )
        _check_shape(getattr(plugin, name), hook, options, label)
        implemented.add(hook)
    if not implemented:
        unmarked = [name for name in HOOKS if callable(getattr(plugin, name, None))]
        hint = f'; "{unmarked[0]}" has no @hookimpl on it' if unmarked else ""
        raise BackendLoadError(f"{label} implements no hook of the payment core{hint}")
    return frozenset(implemented)


def _check_shape(function: Any, hook: str, options: Any, label: str) -> None:
    if hook == AROUND and not options["wrapper"]:
        raise BackendLoadError(
            f'{label} implements "{AROUND}" as an ordinary hook; it must be a wrapper: write '
            "@hookimpl(wrapper=True) and yield once"
        )
    if hook != AROUND and (options["wrapper"] or options["hookwrapper"]):
        raise BackendLoadError(
            f'{label} wraps "{hook}"; only "{AROUND}" can be wrapped: write a plain @hookimpl'
        )
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise BackendLoadError(f'{label} implements "{hook}" with "async def"; write "def"')
    if hook != AROUND and inspect.isgeneratorfunction(function):
        raise BackendLoadError(f'{label} implements "{hook}" with a "yield", so it would not run')


@dataclass(frozen=True, slots=True)
class _Listener:
    """One plugin's function for one hook, with the names of the arguments it takes."""

    plugin: str
    hook: str
    function: Callable[..., Any]
    takes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entered:
    """A wrapper that stands at its ``yield``."""

    listener: _Listener
    generator: Generator[None, Any, Any]


class PaymentHooks:
    """One method for each hook. Safe to call from many threads."""

    def __init__(
        self, *, disabled: Iterable[str] = (), scrub: Callable[[str], str] | None = None
    ) -> None:
        self.scrub = scrub or Scrubber().text
        self.failures: Counter[tuple[str, str]] = Counter()
        """How often a plugin's hook raised or gave a wrong answer: ``(plugin, hook)``."""
        self._disabled = set(disabled)
        self._manager = new_manager()
        self._lock = threading.RLock()
        self._listeners: dict[str, tuple[_Listener, ...]] = dict.fromkeys(HOOKS, ())

    # -- who listens -----------------------------------------------------------------------

    @property
    def disabled(self) -> frozenset[str]:
        """The names that are switched off, installed or not."""
        return frozenset(self._disabled)

    @property
    def names(self) -> tuple[str, ...]:
        """The registered plugins, in the order they came."""
        return tuple(name for name, _ in self._manager.list_name_plugin())

    def register(self, plugin: object, name: str | None = None, *, label: str = "") -> bool:
        """Add a module or object with hookimpls; ``False`` if its name is switched off."""
        name = name or self._manager.get_canonical_name(plugin)
        label = label or f'plugin "{name}"'
        with self._lock:
            if name in self._disabled:
                return False
            if self._manager.has_plugin(name) or self._manager.is_registered(plugin):
                raise BackendLoadError(f"{label} is registered already; give it another name")
            if REGISTER in check_hooks(self._manager, plugin, label):
                raise BackendLoadError(
                    f'{label} implements "{REGISTER}", which belongs to a module in the '
                    'entry-point group "omniman_payment.backends"'
                )
            try:
                self._manager.register(plugin, name)
            except pluggy.PluginValidationError as error:
                raise BackendLoadError(f"{label} does not fit its hook: {error}") from error
            self._refresh()
        return True

    def unregister(self, name: str) -> None:
        """Take a plugin out again."""
        with self._lock:
            if self._manager.unregister(name=name) is not None:
                self._refresh()

    def switch_off(self, name: str) -> None:
        """Take a plugin out and keep it out."""
        with self._lock:
            self._disabled.add(name)
            if self._manager.has_plugin(name):
                self.unregister(name)

    def observes(self, hook: str) -> bool:
        """Whether any plugin implements a hook."""
        return bool(self._listeners[hook])

    def _refresh(self) -> None:
        # Replaced whole, so that a thread in the middle of a round finishes the old one.
        self._listeners = {
            hook: tuple(
                _Listener(impl.plugin_name, hook, impl.function, tuple(impl.argnames))
                for impl in reversed(getattr(self._manager.hook, hook).get_hookimpls())
            )
            for hook in HOOKS
        }

    # -- around the gateway call -----------------------------------------------------------

    def around_gateway_call(self, call: GatewayCall, perform: Callable[[], T]) -> T:
        """Run ``perform`` inside all wrappers; what it returns or raises is the outcome.

        A wrapper that raises before its ``yield`` prevents the call: ``NotAttemptedError``.
        Afterwards the answer may be the only copy of "charged", so a wrapper can neither
        lose nor change it: what it returns is ignored, what it raises (a keyboard interrupt
        included) is logged and counted.
        """
        wrappers = self._listeners[AROUND]
        if not wrappers:
            return perform()
        entered = self._enter(wrappers, call)
        try:
            result = perform()
        except BaseException as error:
            self._leave(entered, None, error)
            raise
        self._leave(entered, result, None)
        return result

    def _enter(self, wrappers: tuple[_Listener, ...], call: GatewayCall) -> list[_Entered]:
        entered: list[_Entered] = []
        for listener in wrappers:
            refusal = self._refusal(listener, call, entered)
            if refusal is not None:
                self._leave(entered, None, refusal)
                raise refusal
        return entered

    def _refusal(
        self, listener: _Listener, call: GatewayCall, entered: list[_Entered]
    ) -> NotAttemptedError | None:
        """Run a wrapper up to its ``yield``; says why the call must not be made, if so."""
        try:
            generator = listener.function(*((call,) if listener.takes else ()))
            next(generator)
        except NotAttemptedError as error:
            return error
        except StopIteration:
            why = self._failed(listener, "it ended without a yield")
        except BaseException as error:
            why = self._failed(listener, error)
        else:
            entered.append(_Entered(listener, generator))
            return None
        return NotAttemptedError(
            f'plugin "{listener.plugin}" failed before the gateway call, which was not made: {why}'
        )

    def _leave(self, entered: list[_Entered], result: object, error: BaseException | None) -> None:
        for wrapper in reversed(entered):
            try:
                if error is None:
                    wrapper.generator.send(result)
                else:
                    wrapper.generator.throw(error)
            except StopIteration:
                continue
            except BaseException as raised:
                if raised is not error:
                    self._failed(wrapper.listener, raised)
                continue
            self._failed(wrapper.listener, "it yielded more than once")
            try:
                wrapper.generator.close()
            except BaseException as raised:
                self._failed(wrapper.listener, raised)

    # -- notifications ---------------------------------------------------------------------

    def directive_enqueued(self, directive: DirectiveNotice) -> None:
        for listener in self._listeners["directive_enqueued"]:
            self._call(listener, directive=directive)

    def directive_claimed(self, directive: DirectiveNotice) -> None:
        for listener in self._listeners["directive_claimed"]:
            self._call(listener, directive=directive)

    def directive_settled(self, directive: DirectiveNotice) -> None:
        for listener in self._listeners["directive_settled"]:
            self._call(listener, directive=directive)

    def directive_retrying(self, directive: DirectiveNotice) -> None:
        for listener in self._listeners["directive_retrying"]:
            self._call(listener, directive=directive)

    def directive_failed(self, directive: DirectiveNotice) -> None:
        for listener in self._listeners["directive_failed"]:
            self._call(listener, directive=directive)

    def directive_parked(self, directive: DirectiveNotice) -> None:
        for listener in self._listeners["directive_parked"]:
            self._call(listener, directive=directive)

    def payment_changed(self, change: PaymentChange) -> None:
        for listener in self._listeners["payment_changed"]:
            self._call(listener, change=change)

    def webhook_accepted(self, webhook: WebhookNotice) -> None:
        for listener in self._listeners["webhook_accepted"]:
            self._call(listener, webhook=webhook)

    def webhook_rejected(self, account: str, reason: str) -> None:
        for listener in self._listeners["webhook_rejected"]:
            self._call(listener, account=account, reason=reason)

    # -- policies --------------------------------------------------------------------------

    def retry_delay(self, directive: DirectiveNotice) -> timedelta | None:
        """The first plugin's wish, or ``None`` for the default; at most thirty days."""
        for listener in self._listeners["retry_delay"]:
            delay = self._call(listener, directive=directive)
            if isinstance(delay, timedelta) and timedelta() <= delay <= LONGEST_DELAY:
                return delay
            if delay is not None:
                self._failed(listener, "its answer is no timedelta from zero to thirty days")
        return None

    def select_backend(self, channel: Any) -> str | None:
        """The first plugin's choice of an account, or ``None``."""
        for listener in self._listeners["select_backend"]:
            name = self._call(listener, channel=channel)
            if isinstance(name, str) and name:
                return name
            if name is not None:
                self._failed(listener, "its answer is no account name")
        return None

    # -- isolation -------------------------------------------------------------------------

    def _call(self, listener: _Listener, **arguments: object) -> Any:
        try:
            return listener.function(*[arguments[name] for name in listener.takes])
        except BaseException as error:
            interrupted = isinstance(error, KeyboardInterrupt)
            if interrupted and threading.current_thread() is threading.main_thread():
                raise
            self._failed(listener, error)
            return None

    def count_failure(self, plugin: str, hook: str) -> None:
        """Note one more failure of a plugin."""
        with self._lock:
            self.failures[plugin, hook] += 1

    def _failed(self, listener: _Listener, problem: BaseException | str) -> str:
        self.count_failure(listener.plugin, listener.hook)
        why = problem if isinstance(problem, str) else describe(problem, self.scrub)
        log.error('plugin "%s" failed in %s: %s', listener.plugin, listener.hook, why)
        return why


def describe(error: BaseException, scrub: Callable[[str], str]) -> str:
    """An exception on one scrubbed line with the place it came from; never its traceback's values.

    A traceback would repeat the exception's text unscrubbed.
    """
    try:
        text = str(error)
    except Exception:
        text = ""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = ""
    if trace is not None:
        code = trace.tb_frame.f_code
        place = f" ({code.co_filename}:{trace.tb_lineno} in {code.co_name})"
    name = type(error).__name__
    return scrub(f"{name}: {text}" if text else name) + place
