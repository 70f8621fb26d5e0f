"""The shop's pages. They call the host's public functions and never a gateway."""
