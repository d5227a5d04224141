"""From columns to answers: link health, demand, routing, congestion, step time, reliability, cost; one stage a file."""
