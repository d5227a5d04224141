"""Studies: many cases of one network evaluated by one executor."""
