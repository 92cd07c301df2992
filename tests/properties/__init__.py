"""Rules that hold for every text, tried on generated ones, and tables of what a text means by the contract."""
