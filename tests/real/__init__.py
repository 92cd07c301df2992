"""`make real`: the OpenAI SDK through the proxy against a real llama-server (see `__main__.py`)."""
