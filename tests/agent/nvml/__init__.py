"""A stand-in for NVIDIA's management library with the real one's C symbols, so that pynvml itself is exercised."""
