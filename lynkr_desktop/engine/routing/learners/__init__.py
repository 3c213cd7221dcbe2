"""What routing learns of its user, each idea in a file of its own, each off until it is switched on. Pure: state comes in."""
