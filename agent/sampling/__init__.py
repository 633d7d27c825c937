"""When and what is sampled: the clock, the plan, the sampler and what is read beside it."""
