"""What people read. The first line decides on a lock screen: icon, state, what, where."""
