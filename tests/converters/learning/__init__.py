"""Rows learned from renderings; the templates here are functions, so that no process is needed."""
