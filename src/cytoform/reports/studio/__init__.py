"""A page in which a run makes cells: model.py (the run's numbers), gaussian.py (new codes), page.py, web/ (in the browser)."""
