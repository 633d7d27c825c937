"""Batches on disk until every lane is done with them."""
