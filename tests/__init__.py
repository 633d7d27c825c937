"""The suite: pure tests, tests on real servers, faults and the browser. One directory per room."""
