"""The window and the tray. PySide6; no aiohttp, no SQL, no keyring, no vendor names in code."""
