"""One file for each test, each with one function that gives one or two rows."""
