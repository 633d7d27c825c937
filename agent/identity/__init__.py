"""Who this machine is to the fleet: its key, its enrolment, and staying enrolled."""
