"""Collectors that read the kernel's own files."""
