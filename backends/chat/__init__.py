"""The backend's chat completions API, read: frames and bodies become steps that name no field of it."""
