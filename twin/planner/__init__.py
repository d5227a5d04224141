"""The planner: searches sets of changes for the best one within a budget, or the cheapest one that reaches a target."""
