"""Where a call begins: openers, quotations, suffixes, and the detector that lets the bytes choose the row."""
