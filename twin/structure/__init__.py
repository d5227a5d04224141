"""Structure of a network without traffic: partitions, cuts, disjoint paths, tiers, bisection and diameter."""
