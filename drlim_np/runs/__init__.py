"""A run from the command line: what is drawn, side by side, its record, and the pages made of it."""
