"""What the tests of the Stripe plugin share."""
