"""Real clients × scenarios × vendors' wires: which client works through the program, and what its user notices. `make matrix`."""
