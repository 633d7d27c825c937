"""Whether Sonde itself is well."""
