"""The command line. torch takes seconds to import: commands that need it import it themselves."""
