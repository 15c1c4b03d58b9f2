"""What published numbers cannot be: rules on claims, each with its proof, and what they find. Needs no network."""
