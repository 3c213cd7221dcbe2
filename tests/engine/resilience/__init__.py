"""Tests of what happens after a failure."""
