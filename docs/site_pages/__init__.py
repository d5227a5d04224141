"""Pages of the docs site that are made at build time: tutorials from notebooks, reference from the code."""
