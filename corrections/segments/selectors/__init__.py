"""What pages, API and policy want to know of segments and pattern sets. Nothing here changes anything."""
