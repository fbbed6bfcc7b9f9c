"""How a call reaches AWS: signed in, at the pace allowed, with an end, and what its failures mean."""
