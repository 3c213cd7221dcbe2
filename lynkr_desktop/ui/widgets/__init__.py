"""What several pages use, each drawn once: charts, score strip, tier chip, cards."""
