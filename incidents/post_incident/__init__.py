"""After the incident: the review that is signed, the findings that change the preparation, what follows."""
