"""Bad networks between the HTTP plugins and their simulators: what a call says of it is exact."""
