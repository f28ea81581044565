"""Pages: values in, HTML and pictures out."""
