"""Fuzzing of every parser: what stands between foreign bytes and us. `make fuzz` runs it for long, the tests shortly."""
