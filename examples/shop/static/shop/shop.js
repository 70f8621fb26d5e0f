// Keeps the shop's pages fresh: loads the page again quietly and swaps the parts that changed.
//
// Without this script everything works the same, after a reload.
(() => {
  "use strict";

  const EVERY = 1500;
  const live = () => document.querySelectorAll("[data-live]");

  // Somebody is typing there: what they have typed stays.
  function busy(part) {
    const fields = [...part.querySelectorAll("input:not([type=hidden])")];
    return fields.some((field) => field === document.activeElement || field.value !== field.defaultValue);
  }

  // Tokens are new on every page, so they say nothing about a change.
  function face(part) {
    const copy = part.cloneNode(true);
    for (const field of copy.querySelectorAll("input[type=hidden]")) field.value = "";
    for (const field of copy.querySelectorAll("input")) field.setAttribute("value", "");
    for (const fold of copy.querySelectorAll("details")) fold.open = false;
    for (const said of copy.querySelectorAll("#problem")) said.remove();
    return copy.outerHTML.replace(/\s+/g, " ");
  }

  function swap(part, fresh) {
    if (busy(part) || face(part) === face(fresh)) return;
    const focused = part.contains(document.activeElement) ? document.activeElement.textContent : "";
    for (const fold of part.querySelectorAll("details[open]")) {
      const same = fresh.querySelector(`#${fold.id}`);
      if (same) same.open = true;
    }
    const scrolled = part.scrollLeft;
    part.replaceWith(document.adoptNode(fresh));
    fresh.scrollLeft = scrolled;
    if (focused) {
      const again = [...fresh.querySelectorAll("a, button, summary")].find((it) => it.textContent === focused);
      if (again) again.focus({ preventScroll: true });
    }
  }

  async function refresh() {
    if (document.hidden) return;
    const answer = await fetch(document.body.dataset.live, { credentials: "same-origin", cache: "no-store" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of live()) {
      const fresh = page.getElementById(part.id);
      if (fresh) swap(part, fresh);
    }
  }

  async function keep() {
    try {
      await refresh();
    } catch {
      // The shop is away for a moment, or for good: what is shown stays.
    }
    window.setTimeout(keep, EVERY);
  }

  function basket(form) {
    const output = form.querySelector("[data-total]");
    const language = document.documentElement.lang;
    const add = () => {
      let total = 0;
      for (const field of form.querySelectorAll("[data-price-q]")) {
        const count = /^\d{1,2}$/.test(field.value) ? Number(field.value) : 0;
        total += count * Number(field.dataset.priceQ);
      }
      const whole = Math.trunc(total / 100).toLocaleString(language);
      output.value = `R$\u00a0${whole}.${String(total % 100).padStart(2, "0")}`;
    };
    output.parentElement.hidden = false;
    form.addEventListener("input", add);
    add();
  }

  for (const form of document.querySelectorAll("form[data-basket]")) basket(form);
  // One press, one request; the shop itself takes a doubled one once.
  document.addEventListener("submit", (event) => {
    for (const button of event.target.querySelectorAll("button")) window.setTimeout(() => (button.disabled = true));
  });
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button:disabled")) button.disabled = false;
  });
  if (live().length > 0) keep();
})();
