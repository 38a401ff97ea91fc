"""Stand-ins of the chat servers, and the threads that a person reads and answers."""
