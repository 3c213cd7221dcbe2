"""What happens after a failure: again, next target, or stop. Pure."""
