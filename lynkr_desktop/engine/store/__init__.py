"""The ledger: what is kept of exchanges. SQLite, one writer."""
