"""Long lists of subjects and sets of patterns: kept in versions, imported from files."""
