"""Metrics as plain numpy functions over matched people, one file a concept."""
