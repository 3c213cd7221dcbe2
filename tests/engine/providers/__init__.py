"""Tests of the doors out."""
