"""Tests of the engine's rooms."""
