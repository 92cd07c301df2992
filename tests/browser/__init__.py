"""The inspector's page in a real browser: a headless Chromium of the system. `make browser`."""
