"""Things with known answers, shared by tests, tools and benchmarks."""
