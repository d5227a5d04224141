"""Economics: what a network costs, and whether leasing a site out is worth more than using it."""
