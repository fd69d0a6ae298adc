"""Who was seen where, as people look at it and put it right. Knows nothing of how it was found out."""
