"""Between Flask and the engine: routes, who may use them, pages for errors. No other room but app.py knows Flask."""
