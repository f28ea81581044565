"""What many trials are worth: the ledger of trials, walk-forward folds and corrections."""
