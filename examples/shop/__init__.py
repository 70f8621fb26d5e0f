"""A small shop in a browser: buy, pay at gateways that are simulated here, watch the ledger."""
