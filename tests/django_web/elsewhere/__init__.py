"""A shop whose payments are in another database than Django's default one."""
