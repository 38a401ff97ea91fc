"""`ronda`: the first steps, and the everyday ones, without a browser. Talks to the same REST routes as anybody else."""
