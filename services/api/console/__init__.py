"""The console: pages made on the server, one module per page. Each calls the same handlers as the REST routes."""
