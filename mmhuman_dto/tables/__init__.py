"""Formats that people are kept in: tables for data sets, a file for one picture."""
