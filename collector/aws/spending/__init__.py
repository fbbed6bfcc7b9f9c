"""What our own looking costs: counted as AWS bills it, planned ahead, and held to a monthly budget. Imports no SDK."""
