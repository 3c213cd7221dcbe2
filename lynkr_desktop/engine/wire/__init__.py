"""One module per vendor format, each between that format and `chat`. No I/O, no clock; wires never import one another."""
