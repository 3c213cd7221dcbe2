"""What the program promises about safety, from outside."""
