// Stands in for Stripe.js on a shop's own page: test card numbers, and a bank that asks.
//
// Speaks to the simulator that it was loaded from, with the publishable key and the client
// secret alone. Its card field stands in the page itself, where a test can reach it; Stripe's
// stands in a frame that the page cannot read.
(() => {
  "use strict";

  const ORIGIN = new URL(document.currentScript.src).origin;

  const idOf = (clientSecret) => String(clientSecret).split("_secret_")[0];

  async function call(method, path, form) {
    const encoded = new URLSearchParams(form).toString();
    const address = `${ORIGIN}${path}`;
    let answer;
    try {
      answer =
        method === "GET"
          ? await fetch(`${address}?${encoded}`)
          : await fetch(address, { method, body: new URLSearchParams(form) });
    } catch {
      const message = "We are experiencing issues connecting to our payments provider.";
      return { error: { type: "api_connection_error", message } };
    }
    const body = await answer.json();
    return answer.ok ? { paymentIntent: body } : { error: body.error };
  }

  // The bank's question, as a dialog with one button for each answer.
  function ask() {
    return new Promise((resolve) => {
      const dialog = document.createElement("dialog");
      dialog.id = "simulated-authentication";
      const question = document.createElement("p");
      question.textContent = "Simulated bank: is it you who is paying?";
      dialog.append(question);
      for (const [id, label, success] of [
        ["simulated-complete", "Complete authentication", true],
        ["simulated-fail", "Fail authentication", false],
      ]) {
        const button = document.createElement("button");
        button.type = "button";
        button.id = id;
        button.textContent = label;
        button.addEventListener("click", () => {
          dialog.remove();
          resolve(success);
        });
        dialog.append(button);
      }
      // Closing the bank's window without an answer is a no.
      dialog.addEventListener("cancel", () => {
        dialog.remove();
        resolve(false);
      });
      document.body.append(dialog);
      dialog.showModal();
    });
  }

  function cardElement() {
    const listeners = {};
    const field = document.createElement("input");
    field.id = "simulated-card";
    field.inputMode = "numeric";
    field.autocomplete = "off";
    field.placeholder = "4242 4242 4242 4242";
    const label = document.createElement("label");
    label.textContent = "Test card number ";
    label.append(field);
    const tell = (name, event) => {
      for (const listener of listeners[name] ?? []) listener(event);
    };
    field.addEventListener("input", () => {
      const number = field.value.replace(/\s/g, "");
      const event = { elementType: "payment", empty: !number, complete: number.length > 13 };
      tell("change", { ...event, value: { type: "card" } });
    });
    const element = {
      on: (name, listener) => {
        (listeners[name] ??= []).push(listener);
        return element;
      },
      mount: (where) => {
        const place = typeof where === "string" ? document.querySelector(where) : where;
        if (!place) throw new Error(`there is no element ${where} to mount a card field in`);
        place.append(label);
        window.setTimeout(() => tell("ready", { elementType: "payment" }), 0);
      },
      unmount: () => label.remove(),
      destroy: () => label.remove(),
      focus: () => field.focus(),
    };
    return { element, number: () => field.value };
  }

  window.Stripe = (publishableKey) => {
    const about = (clientSecret) => ({ key: publishableKey, client_secret: clientSecret });

    const retrievePaymentIntent = (clientSecret) =>
      call("GET", `/v1/payment_intents/${idOf(clientSecret)}`, about(clientSecret));

    async function authenticated(clientSecret) {
      const success = await ask();
      try {
        await fetch(`${ORIGIN}/_simulator/payment_intents/${idOf(clientSecret)}/authenticate`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ success }),
        });
      } catch {
        // What became of it is read below.
      }
      const found = await retrievePaymentIntent(clientSecret);
      const problem = found.paymentIntent?.last_payment_error;
      return problem ? { error: { ...problem, payment_intent: found.paymentIntent } } : found;
    }

    async function handleNextAction({ clientSecret }) {
      const found = await retrievePaymentIntent(clientSecret);
      const waits = found.paymentIntent?.status === "requires_action";
      return waits ? authenticated(clientSecret) : found;
    }

    function elements({ clientSecret } = {}) {
      const made = {};
      return {
        create: (type) => {
          if (type !== "payment") throw new Error(`the element ${type} is not simulated`);
          made.card = cardElement();
          return made.card.element;
        },
        getElement: () => made.card?.element ?? null,
        submit: async () => ({}),
        simulated: { clientSecret, number: () => made.card?.number() ?? "" },
      };
    }

    async function confirmPayment({ elements: group, clientSecret, confirmParams, redirect }) {
      const secret = clientSecret ?? group.simulated.clientSecret;
      const card = "payment_method_data[card]";
      const done = await call("POST", `/v1/payment_intents/${idOf(secret)}/confirm`, {
        ...about(secret),
        ...(confirmParams?.return_url ? { return_url: confirmParams.return_url } : {}),
        use_stripe_sdk: "true",
        "payment_method_data[type]": "card",
        [`${card}[number]`]: group.simulated.number(),
        [`${card}[exp_month]`]: "12",
        [`${card}[exp_year]`]: "2034",
        [`${card}[cvc]`]: "123",
      });
      const waits = done.paymentIntent?.status === "requires_action";
      const end = waits ? await authenticated(secret) : done;
      if (end.paymentIntent && redirect !== "if_required" && confirmParams?.return_url) {
        const back = new URL(confirmParams.return_url);
        back.searchParams.set("payment_intent", end.paymentIntent.id);
        back.searchParams.set("payment_intent_client_secret", secret);
        back.searchParams.set("redirect_status", "succeeded");
        window.location.assign(back);
      }
      return end;
    }

    return { elements, confirmPayment, handleNextAction, retrievePaymentIntent };
  };
})();
