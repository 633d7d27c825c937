"""The services; they meet on subjects and tables and never import one another."""
