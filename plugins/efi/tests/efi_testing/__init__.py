"""What the tests of the Efi plugin share."""
