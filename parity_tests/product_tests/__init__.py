"""What people use: the command line, files, notebooks, pages, records."""
