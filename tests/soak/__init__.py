"""Mixed traffic from many clients while everything around the program breaks, and the books compared afterwards: `make soak`."""
