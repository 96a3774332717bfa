"""The three networks of TEx-Face (Shen et al., AAAI 2024) over our own generator: inversion, diffusion, decoding."""
