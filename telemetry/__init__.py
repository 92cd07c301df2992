"""Telemetry: what is counted, timed and traced of exchanges, for Prometheus and OpenTelemetry.

    watch      what is told of each exchange
    metrics    the counters and histograms of `/metrics`
    tally      adds up what is counted, so that a request pays little for it
    labels     the values of their labels, of which there are only so many
    workers    the folder in which several processes count together
    tracing    a span for each request to a model; tracer makes what takes them, contents are the texts

May not know: Flask, routes, who may look, dialects. It holds no text of anybody, but for spans if somebody asks for it.
"""
