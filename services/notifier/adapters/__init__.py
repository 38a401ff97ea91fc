"""The how: one module per outside system."""
