"""The notifier's rules: what to tell whom, and why not. No clock, no await, no environment."""
