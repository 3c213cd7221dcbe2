"""Tests of the builders in `packaging/`."""
