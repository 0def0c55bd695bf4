"""What the pages print, as values: templates compute nothing."""
