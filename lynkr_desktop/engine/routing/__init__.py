"""Signals → score → tier → route. Pure: no clock, no network, no settings file. One file per idea."""
