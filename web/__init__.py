"""Between Flask and the engine: routes, who may use them, pages for errors. Only inspector/ and app.py know Flask, too."""
