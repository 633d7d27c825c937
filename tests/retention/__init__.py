"""What is dropped, when, and that nothing else is."""
