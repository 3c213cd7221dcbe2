"""Real counterparts for tests: scripted model servers as strict as their vendors, the program as a process, a plain caller."""
