"""How the built-in face model is derived from CC0 assets; needs the `build` extra, never used at run time."""
