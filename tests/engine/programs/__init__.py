"""Random programs: small workflows over every construct, and what must become of them whatever runs them."""
