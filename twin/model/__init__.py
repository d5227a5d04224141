"""Records of a network, the network that owns them, and the rules that they must satisfy."""
