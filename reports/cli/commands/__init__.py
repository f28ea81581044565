"""Commands, one module each; heavy imports happen inside them."""
