"""Parts of the pages, one module each: results in, views out; no markup."""
