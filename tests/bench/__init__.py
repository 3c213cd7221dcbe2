"""How fast the proxy is, beside nginx in the same minutes. Run by `make bench`; no part of the test run."""
