// Lets Stripe.js finish a payment on the pay page: a card form, or the bank's question.
//
// The card's details go from Stripe's frame to Stripe; the client secret goes nowhere else.
(() => {
  "use strict";

  const PATIENCE = 20000;
  const SECOND_LOOK = 15000;

  const page = document.getElementById("pay");
  const data = JSON.parse(document.getElementById("pay-data").textContent);
  const form = document.getElementById("pay-form");
  const button = document.getElementById("pay-button");
  const loading = document.getElementById("pay-loading");
  const problem = document.getElementById("pay-problem");
  // Stripe adds its own parameters to the address when it sends the shopper back.
  const here = window.location.origin + window.location.pathname;

  const text = (name) => document.querySelector(`#pay-texts [data-text="${name}"]`).textContent;

  function unreachable() {
    loading.hidden = true;
    form.hidden = true;
    document.getElementById("pay-unreachable").hidden = false;
  }

  function complain(message) {
    problem.textContent = message;
    problem.hidden = false;
    button.disabled = false;
  }

  // Paid, or perhaps paid: no form, and soon an answer from the shop's server.
  function checking() {
    document.getElementById("pay-title").textContent = text("checking-title");
    document.getElementById("pay-message").textContent = text("checking-message");
    loading.hidden = true;
    form.hidden = true;
    page.dispatchEvent(new CustomEvent("pay:hurry"));
  }

  function load(address) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const timer = window.setTimeout(reject, PATIENCE);
      script.src = address;
      script.onload = () => {
        window.clearTimeout(timer);
        if (typeof window.Stripe === "function") resolve(window.Stripe);
        else reject();
      };
      script.onerror = () => {
        window.clearTimeout(timer);
        reject();
      };
      document.head.append(script);
    });
  }

  // What only Stripe knows yet: the page may have been reloaded, or returned to, after paying.
  async function isOpen(stripe) {
    const { paymentIntent, error } = await stripe.retrievePaymentIntent(data.clientSecret);
    if (error || !paymentIntent) throw new Error("the payment could not be read");
    return !["succeeded", "processing", "requires_capture", "canceled"].includes(
      paymentIntent.status,
    );
  }

  // Whether anything reached Stripe is not known here: the form comes back only if it did not.
  function inDoubt(stripe) {
    checking();
    window.setTimeout(async () => {
      if (page.dataset.done === "true") return;
      if (await isOpen(stripe).catch(() => false)) {
        form.hidden = false;
        complain(text("failed"));
      }
    }, SECOND_LOOK);
  }

  function cardForm(stripe) {
    const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    const elements = stripe.elements({
      clientSecret: data.clientSecret,
      appearance: { theme: dark ? "night" : "stripe" },
    });
    const element = elements.create("payment");
    element.on("ready", () => {
      loading.hidden = true;
    });
    element.on("loaderror", unreachable);
    form.hidden = false;
    element.mount("#pay-element");
    return () =>
      stripe.confirmPayment({
        elements,
        confirmParams: { return_url: here },
        redirect: "if_required",
      });
  }

  function bankQuestion(stripe) {
    loading.hidden = true;
    form.hidden = false;
    return () => stripe.handleNextAction({ clientSecret: data.clientSecret });
  }

  async function submit(stripe, finish) {
    button.disabled = true;
    problem.hidden = true;
    page.dataset.busy = "true";
    try {
      const { error } = await finish();
      if (!error || error.code === "payment_intent_unexpected_state") {
        checking();
      } else if (["api_connection_error", "api_error"].includes(error.type)) {
        inDoubt(stripe);
      } else {
        complain(error.message || text("failed"));
        // A bank that said no has ended this step; the shop's server knows what comes instead.
        if (data.mode === "authenticate") page.dispatchEvent(new CustomEvent("pay:hurry"));
      }
    } catch {
      inDoubt(stripe);
    } finally {
      delete page.dataset.busy;
    }
  }

  async function start() {
    loading.hidden = false;
    const Stripe = await load(data.script);
    const stripe = Stripe(data.publishableKey, { locale: document.documentElement.lang });
    if (!(await isOpen(stripe))) {
      checking();
      return;
    }
    const finish = data.mode === "pay" ? cardForm(stripe) : bankQuestion(stripe);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit(stripe, finish);
    });
  }

  if (window.location.search) window.history.replaceState(null, "", here);
  start().catch(unreachable);
})();
