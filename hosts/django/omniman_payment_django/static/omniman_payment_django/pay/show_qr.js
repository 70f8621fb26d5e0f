// Copies the code, and counts down to the moment after which it can no longer be paid.
(() => {
  "use strict";

  const page = document.getElementById("pay");
  const data = JSON.parse(document.getElementById("pay-data").textContent);
  const element = (id) => document.getElementById(id);
  const code = element("qr-code");
  const button = element("qr-copy");

  // Copying

  async function copy() {
    try {
      await navigator.clipboard.writeText(code.value);
      return true;
    } catch {
      // No permission, or a page without TLS: the old way still works nearly everywhere.
      code.focus();
      code.select();
      return document.execCommand("copy");
    }
  }

  button.addEventListener("click", async () => {
    const copied = await copy();
    const said = element("qr-copied");
    // Emptied first, so that a second time is announced as well.
    said.textContent = "";
    window.setTimeout(() => {
      said.textContent = copied ? data.texts.copied : data.texts.notCopied;
    }, 50);
    page.dispatchEvent(new CustomEvent("pay:hurry"));
  });
  code.addEventListener("focus", () => code.select());
  button.hidden = false;

  // Counting down, from what the server says is left: this clock may be wrong, but it is steady.

  if (data.expiresIn === null) return;
  const started = performance.now();
  let timer = 0;
  let spoken = Infinity;

  function left() {
    return Math.max(0, data.expiresIn - Math.floor((performance.now() - started) / 1000));
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
    const seconds = left();
    element("qr-countdown").textContent = written(seconds);
    speak(seconds);
    if (seconds === 0) {
      page.dispatchEvent(new CustomEvent("pay:hurry"));
      return;
    }
    timer = window.setTimeout(tick, 1000 - ((performance.now() - started) % 1000));
  }

  page.addEventListener("pay:done", () => window.clearTimeout(timer));
  element("qr-left").hidden = false;
  tick();
})();
