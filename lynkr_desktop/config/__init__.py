"""What the user decided: settings, their file, environment import, secrets, paths. Never imports the engine or Qt."""
