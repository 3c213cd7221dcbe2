"""Item models: plain rows in, roles out."""
