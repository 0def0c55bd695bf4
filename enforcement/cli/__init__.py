"""``irapp-policy``: look at policy files by hand: verify them, explain a decision, compare two of them."""
