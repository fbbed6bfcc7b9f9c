"""What AWS charges: unit prices of the price list, what was billed, and what is covered by commitments."""
