"""The content filter: a proxy for the few requests whose content a correction changes."""
