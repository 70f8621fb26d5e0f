// Keeps the pay page true: asks how the payment stands, and shows it without a reload.
//
// Presenters' scripts talk to it by events on #pay: they dispatch "pay:hurry" when the shopper
// has done something, and hear "pay:done" when nothing more is expected. While the shopper is
// in the middle of something they set data-busy, and the page does not load itself again.
(() => {
  "use strict";

  const FIRST = 2000;
  const LONGEST = 15000;
  const HURRIED = 1000;
  const HURRIED_QUESTIONS = 15;

  const page = document.getElementById("pay");
  let done = page.dataset.done === "true";
  let delay = FIRST;
  let hurried = 0;
  let timer = 0;
  let asking = false;

  const element = (id) => document.getElementById(id);

  function show(answer) {
    if (answer.status === page.dataset.status && answer.step === page.dataset.step) return;
    if (!answer.done) {
      // Not while the shopper is in the middle of something, such as the bank's question.
      if (page.dataset.busy) return;
      // Another step: other scripts and another policy, which only a new page brings.
      window.location.reload();
      return;
    }
    done = true;
    page.dataset.status = answer.status;
    page.dataset.done = "true";
    for (const id of ["pay-action", "pay-deadline", "pay-lost"]) {
      const part = element(id);
      if (part) part.remove();
    }
    element("pay-status").dataset.tone = answer.tone;
    element("pay-title").textContent = answer.title;
    element("pay-message").textContent = answer.message;
    document.title = `${answer.title} · ${element("pay-order").textContent}`;
    page.dispatchEvent(new CustomEvent("pay:done", { detail: answer }));
  }

  async function ask() {
    window.clearTimeout(timer);
    if (done || asking) return;
    asking = true;
    try {
      const response = await fetch(page.dataset.statusUrl, {
        headers: { Accept: "application/json" },
        credentials: "same-origin",
        cache: "no-store",
      });
      if (response.status === 404) {
        // The address has grown too old; no further question would help.
        done = true;
        element("pay-lost").hidden = false;
      } else if (response.ok) {
        element("pay-lost").hidden = true;
        show(await response.json());
      }
    } catch {
      // Away from the network for a moment: the next question comes in any case.
    } finally {
      asking = false;
      wait();
    }
  }

  function wait() {
    window.clearTimeout(timer);
    if (done || document.hidden) return;
    if (hurried > 0) {
      hurried -= 1;
      timer = window.setTimeout(ask, HURRIED);
      return;
    }
    timer = window.setTimeout(ask, delay);
    delay = Math.min(delay * 1.4, LONGEST);
  }

  page.addEventListener("pay:hurry", () => {
    hurried = HURRIED_QUESTIONS;
    delay = FIRST;
    ask();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
      delay = FIRST;
      ask();
    }
  });
  wait();
})();
