"""Whether time grows with the size of what hostile models and backends write, and no faster."""
