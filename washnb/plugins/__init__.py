"""Capabilities for guests: one WIT surface over a small backend."""
