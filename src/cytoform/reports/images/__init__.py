"""The report on generated images: one HTML page with everything in it, and its figures and tables as files."""
