"""Size and power of the tests on markets whose truth is known."""
