"""Doors out: what a provider is, the table of all, and what is known of their models."""
