"""Documents that are written from the code: what other programs and people read about Ronda's interfaces."""
