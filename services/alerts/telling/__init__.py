"""Telling people: what there is to tell is read, planned, sent, and what came of it kept."""
