"""Samples to transitions: the rules' machine, silence, and the transaction that keeps both."""
