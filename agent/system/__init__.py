"""What this process stands on: its state, threads, the kernel's files, its supervisor."""
