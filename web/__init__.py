"""Between Flask and the engine: routes, who may use them, pages for errors. inspector/ and app.py know Flask, too."""
