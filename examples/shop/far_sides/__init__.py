"""The other side of the counter: shoppers, banks and the gateways' own books, one module each."""
