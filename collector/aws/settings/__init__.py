"""What there is and how it is set: tables, indexes, keyspaces and clusters as the control planes describe them."""
