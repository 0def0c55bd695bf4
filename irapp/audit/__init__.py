"""What happened, who did it, and what is still owed because of it."""
