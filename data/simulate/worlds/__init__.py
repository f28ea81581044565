"""The simulated worlds: what each one is made of."""
