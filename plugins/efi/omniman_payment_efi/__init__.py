"""Efi for Omniman Payments: so far only the name under which its backend will be found."""
