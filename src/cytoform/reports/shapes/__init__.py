"""The report: cells.py and data.py what it is about, sections.py what it says, write.py the page."""
