"""The canonical language of conversations: request, stream events with their grammar, response. Pure."""
