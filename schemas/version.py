"""The version of everything in this distribution."""

VERSION = "0.1.0"
