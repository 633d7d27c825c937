"""Sizes of directories, by slow scans."""
