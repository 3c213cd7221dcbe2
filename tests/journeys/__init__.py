"""Real clients from outside, through the real program."""
