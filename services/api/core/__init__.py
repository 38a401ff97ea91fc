"""Rules of the api without I/O: rights, accounts, cursors, what the board says."""
