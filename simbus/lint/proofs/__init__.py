"""Small scenarios that show the damage of a finding, and the same ones mended: `data` is what they are made of."""
