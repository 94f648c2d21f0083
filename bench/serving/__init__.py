"""How many requests the gateway and its peers answer, and how soon. Only what Python brings; the peer has an environment."""
