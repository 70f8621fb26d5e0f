// Copies the code, and counts down to the moment after which it can no longer be paid.
(() => {
  "use strict";

  const page = document.getElementById("pay");
  const data = JSON.parse(document.getElementById("pay-data").textContent);
  const element = (id) => document.getElementById(id);
  const code = element("qr-code");
  const button = element("qr-copy");
  const copied = element("qr-copied");

  // Copying

  async function copy() {
    try {
      await navigator.clipboard.writeText(code.value);
      return true;
    } catch {
      // No permission, or a page without TLS: the old way still works nearly everywhere.
      code.focus();
      code.setSelectionRange(0, code.value.length);
      const worked = document.execCommand("copy");
      // Where it did not, the code stays selected for the shopper's own copying.
      if (worked) button.focus();
      return worked;
    }
  }

  let saying = 0;

  button.addEventListener("click", async () => {
    const worked = await copy();
    // Emptied first, so that a second time is announced as well.
    copied.textContent = "";
    window.clearTimeout(saying);
    saying = window.setTimeout(() => {
      copied.dataset.worked = String(worked);
      copied.textContent = worked ? data.texts.copied : data.texts.notCopied;
    }, 50);
  });
  code.addEventListener("focus", () => code.select());
  button.hidden = false;

  // Counting down, from what the server says is left: this clock may be wrong, but it is steady.

  if (data.expiresIn === null) return;
  const OFF = 2;
  let given = data.expiresIn;
  let since = performance.now();
  let timer = 0;
  let spoken = Infinity;

  function left() {
    return Math.max(0, given - Math.floor((performance.now() - since) / 1000));
  }

  function written(seconds) {
    const two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(seconds / 3600);
    const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
    return hours > 0 ? `${hours}:${rest}` : rest;
  }

  function speak(seconds) {
    const marks = Object.keys(data.texts.left).map(Number);
    const due = marks.filter((mark) => seconds <= mark && mark < spoken);
    if (due.length === 0) return;
    const mark = Math.min(...due);
    // What was over when the page was opened is not news.
    if (spoken !== Infinity || seconds === mark) {
      element("qr-spoken").textContent = data.texts.left[mark];
    }
    spoken = mark;
  }

  function tick() {
    window.clearTimeout(timer);
    // The page takes all of it away when nobody shall pay any more.
    if (!button.isConnected) return;
    const seconds = left();
    element("qr-countdown").textContent = written(seconds);
    speak(seconds);
    if (seconds === 0) {
      page.dispatchEvent(new CustomEvent("pay:hurry"));
      return;
    }
    timer = window.setTimeout(tick, 1000 - ((performance.now() - since) % 1000));
  }

  // A device that slept has not counted meanwhile; a small difference is the network's.
  page.addEventListener("pay:told", ({ detail }) => {
    const now = detail.expires_in;
    if (!Number.isFinite(now) || Math.abs(now - left()) <= OFF) return;
    given = now;
    since = performance.now();
    tick();
  });
  page.addEventListener("pay:done", () => window.clearTimeout(timer));
  element("qr-left").hidden = false;
  tick();
})();
