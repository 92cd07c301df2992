"""Tests of the adaptations of requests."""
