"""Small programs around SDKs, run by the clients' own interpreters: a task comes as a line of JSON, and so does its answer."""
