// Keeps the pay page true: asks how the payment stands, and shows it without a reload.
//
// Presenters' scripts talk to it by events on #pay: they dispatch "pay:hurry" when the shopper
// has done something, and hear "pay:told" with every answer and "pay:done" when nothing more is
// expected. While the shopper is in the middle of something they set data-busy, and the page
// stays as it is.
(() => {
  "use strict";

  const page = document.getElementById("pay");
  const FIRST = 2000;
  // Someone who pays on another device looks at this page until it says so.
  const LONGEST = page.dataset.elsewhere === "true" ? 4000 : 15000;
  const HURRIED = 1000;
  const HURRIED_QUESTIONS = 15;

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
      if (answer.step || !page.dataset.step) {
        // Another step: other scripts and another policy, which only a new page brings.
        window.location.reload();
        return;
      }
    }
    done = answer.done;
    page.dataset.status = answer.status;
    page.dataset.step = answer.step;
    page.dataset.done = String(done);
    const status = element("pay-status");
    const action = element("pay-action");
    // Whoever was in there with the keyboard would be nowhere afterwards.
    const lost = action !== null && action.contains(document.activeElement);
    for (const part of [action, element("pay-deadline")]) {
      if (part) part.remove();
    }
    status.dataset.tone = answer.tone;
    element("pay-title").textContent = answer.title;
    element("pay-message").textContent = answer.message;
    document.title = `${answer.title} · ${element("pay-order").textContent}`;
    if (lost) status.focus();
    if (done) page.dispatchEvent(new CustomEvent("pay:done", { detail: answer }));
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
        const answer = await response.json();
        page.dispatchEvent(new CustomEvent("pay:told", { detail: answer }));
        show(answer);
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
