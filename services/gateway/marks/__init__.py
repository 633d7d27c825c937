"""What happened to hosts, for their charts: alerts, reboots, updates, and what people did about them."""
