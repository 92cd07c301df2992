"""Rows learned from chat templates: renderings of made-up conversations in; a row, its proof, and other facts out."""
