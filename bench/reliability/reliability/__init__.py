"""What the server promises to survive, each promise tried and measured."""
