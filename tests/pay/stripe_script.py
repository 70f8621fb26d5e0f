"""A stand-in for Stripe's script on an address of its own: what the page calls, and no more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SCRIPT = """
window.Stripe = (key) => ({
  retrievePaymentIntent: async () => {
    const answer = await fetch(new URL("/intent", "ORIGIN"));
    return { paymentIntent: await answer.json() };
  },
  elements: ({ clientSecret }) => ({
    create: () => {
      const listeners = {};
      return {
        on: (name, listener) => { listeners[name] = listener; },
        mount: (where) => {
          const field = document.createElement("iframe");
          field.src = "ORIGIN/frame";
          field.title = "Card";
          document.querySelector(where).append(field);
          field.addEventListener("load", () => listeners.ready());
        },
      };
    },
  }),
  confirmPayment: async () => {
    const answer = await fetch("ORIGIN/confirm", { method: "POST" });
    return answer.ok ? {} : { error: { type: "card_error", message: "Your card was declined." } };
  },
  handleNextAction: async () => {
    const answer = await fetch("ORIGIN/confirm", { method: "POST" });
    return answer.ok ? {} : { error: { type: "card_error", message: "Your bank said no." } };
  },
});
"""


class StripeScript:
    """Where the script comes from; ``confirm`` says whether the card is good."""

    def __init__(self, confirm: Callable[[], bool]) -> None:
        self.confirm = confirm
        self.intent = "requires_payment_method"
        self.confirmed = 0
        self.origin = ""

    @property
    def url(self) -> str:
        return f"{self.origin}/stripe.js"

    def answer(self, method: str, path: str) -> tuple[int, str, str]:
        if (method, path) == ("POST", "/confirm"):
            self.confirmed += 1
            return (200 if self.confirm() else 402), "application/json", "{}"
        if path == "/intent":
            return 200, "application/json", f'{{"status": "{self.intent}"}}'
        if path == "/stripe.js":
            return 200, "text/javascript", SCRIPT.replace("ORIGIN", self.origin)
        return 200, "text/html", "<!doctype html><title>Card</title>"


@contextmanager
def stripe_script(confirm: Callable[[], bool]) -> Iterator[StripeScript]:
    """Serve it until the block ends."""
    script = StripeScript(confirm)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            status, kind, body = script.answer(self.command, self.path)
            content = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
