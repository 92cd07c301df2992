"""Conversations with tools, written without them."""
